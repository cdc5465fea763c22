package dev.upscale.order;

/** Entry to the solvers: what the compiler and the command {@code order} call. */
public final class Orderings {

    private Orderings() {
    }

    /**
     * The order of least cost, exact within the default budget, with lower bound and certificate.
     *
     * @throws IllegalArgumentException where the blocks cannot all be contiguous, naming those that conflict
     */
    public static Ordering solve(OrderingProblem problem) {
        return ExactOrdering.solve(problem);
    }

    /** What UPSCALE's published algorithm gives. */
    public static Ordering paper(OrderingProblem problem) {
        return PaperOrdering.solve(problem);
    }

    /** The order given, 0, 1, 2, …: what a consumer meets that no solver helps. The blocks need not hold in it. */
    public static Ordering identity(OrderingProblem problem) {
        long start = System.nanoTime();
        int[] order = new int[problem.n()];
        for (int c = 0; c < order.length; c++) {
            order[c] = c;
        }
        return Ordering.of(problem, order, 0, start);
    }

    /** A good order by another objective: the least contiguous cost first, improved from there by local search. */
    public static int[] solve(OrderingProblem problem, Objective objective) {
        return LocalSearch.improve(problem, solve(problem).order(), objective, LocalSearch.DEFAULT_EVALUATIONS);
    }
}
