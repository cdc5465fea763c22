package dev.upscale.plan;

import dev.upscale.graph.InvalidInput;
import dev.upscale.plan.View.Place;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * What holds for every plan, whoever wrote it, and lets a runtime run one without checks of its own:
 * <ul>
 *   <li>every view lies inside of the arena, a micro-batch of the port, or the constant that it names;
 *   <li>every index list is an i32 constant whose entries are positions in the axis that they choose from;
 *   <li>steps write the arena and the outputs alone, each element once, and not what they read or their workspace, save
 *       that elementwise steps may work in place;
 *   <li>the code of kernels that a plan for a GPU brings is there;
 *   <li>sources, weights, operation and destination of a step fit each other;
 *   <li>nothing is read from the arena or an output before some step has written there, and every output is written.
 * </ul>
 * Whether the kernels exist and whether the memory is there is the runtime's business.
 */
public final class PlanVerifier {

    private final Plan plan;
    private final Map<Place, Long> places = new HashMap<>();
    private final Set<String> libraryPlans;
    private final WrittenMemory written = new WrittenMemory();

    private PlanVerifier(Plan plan) {
        this.plan = plan;
        this.libraryPlans = plan.accelerator().stream().flatMap(part -> part.libraryPlans().stream())
                .map(Accelerator.LibraryPlan::name).collect(Collectors.toSet());
    }

    /**
     * Checks a plan.
     *
     * @throws InvalidInput if something does not hold; the message names the step
     */
    public static void verify(Plan plan) {
        new PlanVerifier(plan).verify();
    }

    private void verify() {
        try {
            verifyPlaces();
        } catch (ArithmeticException e) {
            throw new InvalidInput("an input or output is too large", e);
        }
        for (int i = 0; i < plan.steps().size(); i++) {
            Step step = plan.steps().get(i);
            try {
                verify(step);
            } catch (ArithmeticException e) {
                throw new InvalidInput(where(i, step) + ": a size is out of all bounds", e);
            } catch (InvalidInput e) {
                throw e.in(where(i, step));
            }
            written.add(step.destination());
        }
        for (Plan.Port output : plan.outputs()) {
            require(output.bytes() == 0 || written.contains(new Place(Place.Kind.OUTPUT, output.name())),
                    () -> "no step writes the output " + output.name());
        }
    }

    private void verifyPlaces() {
        require(0 <= plan.arenaLowerBoundBytes() && plan.arenaLowerBoundBytes() <= plan.arenaBytes(),
                () -> "the arena has " + plan.arenaBytes() + " bytes, its lower bound is " + plan.arenaLowerBoundBytes());
        require(plan.microBatches() >= 1 && (plan.microBatches() == 1 || plan.accelerator().isEmpty()),
                () -> plan.microBatches() + " micro-batches for " + plan.target());
        require(plan.consumers() >= 0, () -> plan.consumers() + " consumers");
        places.put(Place.ARENA, plan.arenaBytes());
        addPorts(Place.Kind.INPUT, plan.inputs());
        addPorts(Place.Kind.OUTPUT, plan.outputs());
        plan.constants().forEach((name, constant) ->
                places.put(new Place(Place.Kind.CONSTANT, name), constant.bytes()));
        plan.accelerator().flatMap(Accelerator::kernels).ifPresent(kernels -> {
            Constant code = plan.constants().get(kernels.code());
            require(code != null && code.type() == Constant.Type.I8 && code.bytes() > 0,
                    () -> "the code of its kernels, " + kernels.code() + ", is no constant of bytes");
        });
    }

    private static String where(int position, Step step) {
        return "step " + position + " (" + step.kernel() + " " + step.name() + ")";
    }

    private void addPorts(Place.Kind kind, List<Plan.Port> ports) {
        for (Plan.Port port : ports) {
            require(port.dims().stream().allMatch(dim -> dim >= 0),
                    () -> kind + " " + port.name() + " has the shape " + port.dims());
            require(plan.microBatches() == 1 || !port.dims().isEmpty() && port.dims().getFirst() % plan.microBatches() == 0,
                    () -> kind + " " + port.name() + " has the shape " + port.dims() + ", which is not " + plan.microBatches() + " micro-batches");
            require(places.put(new Place(kind, port.name()), port.bytes() / plan.microBatches()) == null,
                    () -> "two of kind " + kind + " have the name " + port.name());
        }
    }

    private void verify(Step step) {
        require(step.multiplyAdds() >= 0, () -> step.multiplyAdds() + " multiply-adds");
        for (Operand source : step.sources()) {
            verifyInside(source.view(), "source");
            verifyIndex(source, StepShapes.channelAxis(step, source));
            require(written.mayHold(source.view()), () -> "reads " + source + ", where no step has written");
        }
        verifyInside(step.destination(), "destination");
        Place.Kind kind = step.destination().place().kind();
        require(kind == Place.Kind.ARENA || kind == Place.Kind.OUTPUT, () -> "writes to " + step.destination().place());
        require(ViewOverlap.isInjective(step.destination()), () -> "writes elements of " + step.destination() + " twice");
        StepShapes.verify(step, plan);
        verifyOverlap(step);
        step.workspace().ifPresent(workspace -> verifyWorkspace(step, workspace));
        if (step instanceof Step.Convolve convolve) {
            convolve.libraryPlan().ifPresent(name -> require(libraryPlans.contains(name), () -> "its library plan " + name + " is missing"));
        }
    }

    private void verifyInside(View view, String role) {
        Long size = places.get(view.place());
        require(size != null, () -> "its " + role + " lies in " + view.place() + ", which does not exist");
        require(view.dims().stream().allMatch(dim -> dim >= 0) && view.strides().stream().allMatch(stride -> stride >= 0),
                () -> "its " + role + " " + view + " has a negative size");
        require(view.elements() <= Integer.MAX_VALUE, () -> "its " + role + " " + view + " has more than 2^31 elements");
        require(Math.addExact(view.offset(), view.extentBytes()) <= size,
                () -> "its " + role + " " + view + " leaves the " + size + " bytes of its place");
        require(view.element() == Element.F32 || view.place().kind() == Place.Kind.ARENA,
                () -> "its " + role + " " + view + " holds " + view.element().label() + " outside of the arena");
        if (view.place().kind() == Place.Kind.CONSTANT) {
            require(plan.constants().get(view.place().name()).type() == Constant.Type.F32,
                    () -> "its " + role + " " + view + " holds no f32");
        }
    }

    private void verifyIndex(Operand operand, int axis) {
        if (!operand.isIndexed()) {
            return;
        }
        Constant index = plan.constants().get(operand.index());
        require(index != null && index.type() == Constant.Type.I32 && index.dims().size() == 1,
                () -> "its index " + operand.index() + " is no list of i32 constants");
        View view = operand.view();
        require(axis < view.rank(), () -> operand + " has no channels to choose from");
        for (int position : index.ints()) {
            require(position >= 0 && position < view.dim(axis),
                    () -> "its index " + operand.index() + " names channel " + position + " of " + view.dim(axis));
        }
    }

    private void verifyOverlap(Step step) {
        for (Operand source : step.sources()) {
            boolean inPlace = switch (step) {
                case Step.Convolve convolve -> convolve.addend().filter(addend -> addend == source).isPresent();
                case Step.Compute compute -> StepShapes.mayWorkInPlace(compute.op());
                case Step.Copy copy -> false;
            };
            View target = step.destination();
            boolean same = !source.isIndexed() && ViewOverlap.sameElements(source.view(), target);
            require(areDisjoint(step, source, target) || inPlace && same,
                    () -> "writes " + target + " over its source " + source);
        }
    }

    /** Whether a step writes nothing that it reads: of an indexed source, the channels that are chosen count. */
    private boolean areDisjoint(Step step, Operand source, View target) {
        if (!source.isIndexed() || ViewOverlap.areDisjoint(source.view(), target)) {
            return ViewOverlap.areDisjoint(source.view(), target);
        }
        int axis = StepShapes.channelAxis(step, source);
        return Arrays.stream(plan.constants().get(source.index()).ints()).distinct()
                .allMatch(channel -> ViewOverlap.areDisjoint(source.view().slice(axis, channel, 1), target));
    }

    private void verifyWorkspace(Step step, View workspace) {
        verifyInside(workspace, "workspace");
        require(workspace.place().kind() == Place.Kind.ARENA, () -> "its workspace lies in " + workspace.place());
        require(ViewOverlap.areDisjoint(workspace, step.destination()),
                () -> "its workspace " + workspace + " overlaps its destination " + step.destination());
        for (Operand source : step.sources()) {
            require(ViewOverlap.areDisjoint(workspace, source.view()),
                    () -> "its workspace " + workspace + " overlaps its source " + source);
        }
    }

    private static void require(boolean holds, Supplier<String> complaint) {
        if (!holds) {
            throw new InvalidInput(complaint.get());
        }
    }
}
