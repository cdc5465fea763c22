package dev.upscale.runtime;

import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanVerifier;
import dev.upscale.plan.Step;
import dev.upscale.runtime.cpu.CpuCatalog;
import dev.upscale.runtime.kernel.Constants;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Preparation;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A plan that is ready to run on this machine: kernels chosen, weights packed, constants in native memory. Sessions share it and may
 * run at once. Thread-safe. Once it is closed, it and its sessions throw {@link IllegalStateException}.
 */
public final class Executable implements AutoCloseable {
    private final Plan plan;
    private final Preparation preparation;
    private final List<Kernel> kernels;
    private final Set<Session> sessions = new LinkedHashSet<>();
    private boolean closed;

    private Executable(Plan plan, Preparation preparation, List<Kernel> kernels) {
        this.plan = plan;
        this.preparation = preparation;
        this.kernels = List.copyOf(kernels);
    }

    /**
     * Prepares a plan with the kernels of this machine.
     *
     * @throws dev.upscale.graph.InvalidInput               if the plan does not hold together
     * @throws dev.upscale.runtime.kernel.KernelFailure if a kernel is not to be had here; the message names step and kernel
     */
    public static Executable prepare(Plan plan) {
        return prepare(plan, CpuCatalog.ofMachine());
    }

    static Executable prepare(Plan plan, CpuCatalog catalog) {
        PlanVerifier.verify(plan);
        Arena owner = Arena.ofShared();
        Preparation preparation = new Preparation(owner, new Constants(plan.constants(), owner));
        try {
            List<Kernel> kernels = new ArrayList<>();
            for (Step step : plan.steps()) {
                kernels.add(catalog.prepare(step, preparation));
            }
            return new Executable(plan, preparation, kernels);
        } catch (RuntimeException e) {
            preparation.close();
            throw e;
        }
    }

    public Plan plan() {
        return plan;
    }

    /** For each step of the plan, the library's own name for the code that runs it. */
    public List<String> implementations() {
        return kernels.stream().map(Kernel::implementation).toList();
    }

    /** Opens a session whose kernels use that many threads. */
    public Session open(int threads) {
        return open(SessionOptions.threads(threads));
    }

    /**
     * Opens a session: its arena and its calls of the kernels.
     *
     * @throws IllegalStateException                        if this is closed
     * @throws dev.upscale.runtime.kernel.KernelFailure if a library refuses
     */
    public synchronized Session open(SessionOptions options) {
        if (closed) {
            throw new IllegalStateException("the executable of " + plan.model() + " is closed");
        }
        Session session = Session.open(this, kernels, preparation.constants(), options);
        sessions.add(session);
        return session;
    }

    /** Called with this locked. */
    void forget(Session session) {
        sessions.remove(session);
    }

    /**
     * Closes all sessions and frees everything.
     *
     * @throws IllegalStateException if a session is running; nothing more is closed then
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        for (Session session : sessions.toArray(Session[]::new)) {
            session.close();
        }
        closed = true;
        preparation.close();
    }
}
