package dev.upscale.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Operations as in {@link GraphText}, the types of their inputs, and the type of their output or the complaint. */
class ShapeInferenceTest {
    private static TensorType infer(String operation, String types) {
        List<String> names = new ArrayList<>();
        StringBuilder inputs = new StringBuilder();
        for (String type : types.split(" ")) {
            inputs.append(names.isEmpty() ? "" : ", ").append("abcdefgh".charAt(names.size())).append(": ").append(type);
            names.add("abcdefgh".substring(names.size(), names.size() + 1));
        }
        int space = operation.indexOf(' ');
        String name = space < 0 ? operation : operation.substring(0, space);
        return GraphText.parse("graph g(" + inputs + ") -> y {\n y = " + name + "(" + String.join(", ", names) + ")"
                + operation.substring(name.length()) + "\n}").type("y");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            Conv kernel=3 pad=1                       | f32[2,8,5,6] f32[16,8,3,3]               | f32[2,16,5,6]
            Conv kernel=3 stride=2 pad=1              | f32[2,8,5,6] f32[16,8,3,3] f32[16]       | f32[2,16,3,3]
            Conv kernel=3x1 dilation=2 pad=0,1,2,3    | f32[1,8,5,6] f32[16,8,3,1]               | f32[1,16,3,10]
            Conv kernel=3 groups=4                    | f32[1,8,5,6] f32[16,2,3,3]               | f32[1,16,3,4]
            Conv kernel=1                             | f32[1,0,5,6] f32[16,0,1,1]               | f32[1,16,5,6]
            ConvTranspose kernel=2 stride=2           | f32[1,8,5,6] f32[8,3,2,2] f32[3]         | f32[1,3,10,12]
            ConvTranspose kernel=3 stride=2 pad=1 outputPad=1 groups=2 | f32[1,8,5,6] f32[8,3,3,3] | f32[1,6,10,12]
            ConvTranspose kernel=3 dilation=2 pad=1,0,0,2 | f32[1,8,5,6] f32[8,3,3,3]            | f32[1,3,8,8]
            Linear                                    | f32[2,7,8] f32[16,8] f32[16]             | f32[2,7,16]
            MatMul                                    | f32[3,1,4,5] f32[2,5,6]                  | f32[3,2,4,6]
            BatchNorm                                 | f32[2,8] f32[8] f32[8] f32[8] f32[8]     | f32[2,8]
            ScaleShift                                | f32[2,8,4] f32[8] f32[8]                 | f32[2,8,4]
            InstanceNorm                              | f32[2,8,4] f32[8] f32[8]                 | f32[2,8,4]
            LayerNorm axis=1                          | f32[2,8,4] f32[8,4] f32[4]               | f32[2,8,4]
            Lrn size=5                                | f32[2,8,4]                               | f32[2,8,4]
            Apply relu                                | f32[]                                    | f32[]
            PRelu                                     | f32[2,8,4,4] f32[8,1,1]                  | f32[2,8,4,4]
            Binary add                                | f32[2,1,4] f32[8,1]                      | f32[2,8,4]
            Binary mul                                | i64[2] i64[]                             | i64[2]
            Softmax axis=1                            | f32[2,8]                                 | f32[2,8]
            Concat axis=1                             | f32[2,8,3] f32[2,1,3] f32[2,0,3]         | f32[2,9,3]
            Slice axis=1 start=6 size=3 step=-3       | f32[2,7]                                 | f32[2,3]
            Slice axis=1 start=0 size=0               | f32[2,7]                                 | f32[2,0]
            Take axis=0 indices=[1,1,0]               | f32[2,7]                                 | f32[3,7]
            Pool max kernel=3 stride=2                | f32[1,4,6,7]                             | f32[1,4,2,3]
            Pool max kernel=3 stride=2 ceil           | f32[1,4,6,7]                             | f32[1,4,3,3]
            Pool average kernel=2 stride=2 pad=1 ceil | f32[1,4,5,6]                             | f32[1,4,3,4]
            Pool max kernel=3 stride=2 ceil           | f32[1,4,2,2]                             | f32[1,4,1,1]
            Reduce mean axes=[2,3] keepDims           | f32[2,8,4,4]                             | f32[2,8,1,1]
            Reduce sum axes=[0,2]                     | f32[2,8,4]                               | f32[8]
            Reshape dims=[4,-0,2,2]                   | f32[4,0,2]                               | f32[4,0,2,2]
            Reshape dims=[]                           | f32[1,1]                                 | f32[]
            Transpose permutation=[2,0,1]             | f32[2,8,4]                               | f32[4,2,8]
            Expand dims=[3,2,8]                       | f32[2,1]                                 | f32[3,2,8]
            Pad constant before=[0,-1] after=[3,-2]   | f32[2,8]                                 | f32[5,5]
            Pad reflect before=[1,7] after=[0,7]      | f32[2,8]                                 | f32[3,22]
            Resize nearest asymmetric floor size=8x3 scale=2x0.5 | f32[2,8,4,6]                  | f32[2,8,8,3]
            DepthToSpace dcr block=2                  | f32[1,8,3,4]                             | f32[1,2,6,8]
            """)
    void infers(String operation, String inputs, String expected) {
        assertEquals(expected, infer(operation, inputs).toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            Conv kernel=3        | f32[2,8,5,6] f32[16,4,3,3]          | the weight reads 4 channels in each of 1 groups, the source has 8
            Conv kernel=3        | f32[2,8,5,6] f32[16,8,1,1]          | its kernel is 3x3, not the weight's last two dimensions
            Conv kernel=3 groups=3 | f32[2,8,5,6] f32[16,8,3,3]        | 3 groups do not divide 8 input and 16 output channels
            Conv kernel=3 groups=0 | f32[2,8,5,6] f32[16,8,3,3]        | 0 groups do not divide
            Conv kernel=3        | f32[2,8,2,6] f32[16,8,3,3]          | its window spans 3x3 pixels, the padded image has 2x6
            Conv kernel=3        | f32[2,8,5,6] f32[16,8,3,3] f32[8]   | bias c is f32[8]
            Conv kernel=3 pad=0,0,-1,0 | f32[2,8,5,6] f32[16,8,3,3]    | its padding is negative
            Conv kernel=3        | f32[8,5,6] f32[16,8,3,3]            | a has rank 3, not 4
            Conv kernel=3        | f32[8,5,6,7]                        | it has 1 inputs
            ConvTranspose kernel=2 | f32[1,4,5,6] f32[8,3,2,2]         | the weight reads 8 channels, the source has 4
            ConvTranspose kernel=1 pad=3 | f32[1,8,5,6] f32[8,3,1,1]   | it has no output pixel: -1 rows of 0
            Linear               | f32[2,7] f32[16,8]                  | the weight reads 8 features, the source has 7
            MatMul               | f32[2,7] f32[8,2]                   | the inner dimensions 7 and 8 differ
            MatMul               | f32[2,3,7] f32[3,7,2]               | [2] and [3] do not broadcast to each other
            MatMul               | f32[7] f32[7,2]                     | a has rank 1, which is less than 2
            BatchNorm            | f32[2,8] f32[8] f32[8] f32[8] f32[4] | variance e is f32[4]
            LayerNorm axis=1     | f32[2,8] f32[2]                     | b does not broadcast to the normalised dimensions [8]
            PRelu                | f32[2,8,4,4] f32[8]                 | the slope does not broadcast to the source
            Binary add           | f32[2] i64[2]                       | its inputs hold elements of different types
            Apply relu           | i64[2]                              | input a holds I64, not F32
            Softmax axis=-1      | f32[2]                              | axis -1 of a tensor of rank 1
            Concat axis=1        | f32[2,3] f32[3,3]                   | inputs differ in another dimension than axis 1
            Slice axis=0 start=1 size=2 step=2 | f32[3]                | positions 1 to 3 of axis 0, which has 3
            Slice axis=0 start=1 size=2 step=0 | f32[3]                | step 0 and size 2
            Take axis=0 indices=[3] | f32[3]                           | position 3 of axis 0, which has 3
            Pool max kernel=2 pad=2,0,0,0 | f32[1,1,4,4]               | window 0 lies in the padding alone
            Pool max kernel=3    | f32[1,1,2,2]                        | its window spans 3x3 pixels, the padded image has 2x2
            Reduce mean axes=[1,0] | f32[2,2]                          | its axes [1, 0] are not ascending
            Reduce mean axes=[]  | f32[2,2]                            | it reduces no axis
            Reshape dims=[3]     | f32[2]                              | 2 elements do not fill the shape [3]
            Reshape dims=[-2,-1] | f32[2]                              | its output has the shape [-2, -1]
            Transpose permutation=[0,0] | f32[2,2]                     | [0, 0] does not permute 2 axes
            Expand dims=[2,1]    | f32[2,2]                            | the source does not broadcast to [2, 1]
            Expand dims=[65536,65536] | f32[1]                         | its output [65536, 65536] has more than 2^31 elements
            Pad reflect before=[2] after=[0] | f32[2]                  | axis 0 of size 2 is padded by 2 in mode REFLECT
            Pad constant before=[-2] after=[-1] | f32[2]               | axis 0 gets -1 elements
            Resize linear asymmetric floor size=0x1 scale=1 | f32[1,1,2,2] | the image or the result 0x1 is empty
            Resize linear asymmetric floor size=1x1 scale=nan | f32[1,1,2,2] | its scales are NaN and NaN
            DepthToSpace crd block=3 | f32[1,8,2,2]                    | blocks of 3x3 do not divide 8 channels
            Conv kernel=1 pad=2000000000 | f32[1,1,2,2] f32[1,1,1,1]   | its window spans 1x1 pixels, the padded image has 4000000002x4000000002
            Conv kernel=1 pad=2000000,1,1,1 | f32[1,1,2,2000] f32[1,1,1,1] | has more than 2^31 elements
            Pool max kernel=65536 dilation=65536 | f32[1,1,2,2]        | its window spans
            Pool max kernel=3 pad=2000000000 ceil | f32[1,1,2,2]       | its window spans
            DepthToSpace crd block=65536 | f32[1,8,2,2]                | do not divide 8 channels
            """)
    void complains(String operation, String inputs, String expected) {
        String message = assertThrows(InvalidInput.class, () -> infer(operation, inputs)).getMessage();
        assertTrue(message.contains(expected), message);
        assertTrue(message.contains("node y (") && message.contains("; cure: ") && message.contains("it reads a "), message);
    }
}
