package dev.upscale.compress;

import dev.upscale.channels.ChannelFlow.Consumer;
import dev.upscale.prune.BackwardElimination;
import java.util.Arrays;
import java.util.List;

/**
 * Takes channels from all consumers of a segment at once: what no consumer reads need not be made. Not safe for use by several threads
 * at once.
 */
final class JointElimination {

    /**
     * A consumer of the segment.
     *
     * @param labels one for each of its channels
     * @param variance what its errors are divided by
     * @param weight what they are then multiplied with, before they are added to those of the others
     */
    record Member(Consumer consumer, int[] labels, BackwardElimination elimination, double variance, double weight) {

        /** How much its error has risen, over the variance. */
        double error() {
            return elimination.raised() / variance;
        }

        private double scale() {
            return weight / variance;
        }

        /** By how much its scaled error would rise for each label; 0 for labels that it does not read. */
        private void addIncrements(double[] byLabel) {
            double[] increments = elimination.increments();
            for (int channel = 0; channel < labels.length; channel++) {
                if (increments[channel] != Double.POSITIVE_INFINITY) {
                    byLabel[labels[channel]] += scale() * increments[channel];
                }
            }
        }

        /** Takes what it reads of a label and still has. */
        void take(int label) {
            for (int channel = 0; channel < labels.length; channel++) {
                if (labels[channel] == label && elimination.remaining().get(channel)) {
                    elimination.take(channel);
                }
            }
        }
    }

    private final List<Member> members;
    private final int labelCount;

    JointElimination(List<Member> members, int labelCount) {
        this.members = List.copyOf(members);
        this.labelCount = labelCount;
    }

    /** By how much the sum of the scaled errors would rise for each label. */
    double[] increments() {
        double[] byLabel = new double[labelCount];
        members.forEach(member -> member.addIncrements(byLabel));
        return byLabel;
    }

    void take(int label) {
        members.forEach(member -> member.take(label));
    }

    private double raised() {
        return members.stream().mapToDouble(member -> member.weight * member.error()).sum();
    }

    /**
     * Takes all labels but one, the one that raises the error least each time.
     *
     * @return for each label, what the error had risen by when it was taken; infinite for the last and those not of the segment
     */
    double[] takeAll(int[] labels) {
        double[] risen = new double[labelCount];
        Arrays.fill(risen, Double.POSITIVE_INFINITY);
        int[] left = labels.clone();
        while (left.length > 1) {
            double[] increments = increments();
            int least = left[0];
            for (int label : left) {
                least = increments[label] < increments[least] ? label : least;
            }
            take(least);
            risen[least] = raised();
            int taken = least;
            left = Arrays.stream(left).filter(label -> label != taken).toArray();
        }
        return risen;
    }
}
