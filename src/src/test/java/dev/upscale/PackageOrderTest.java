package dev.upscale;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Data flows one way: see docs/architecture.md. */
class PackageOrderTest {
    /** Each package may use those before it. {@code facade} is the public package {@code dev.upscale} itself. */
    private static final List<String> ORDER =
            List.of("graph", "onnx", "channels", "prune", "order", "plan", "compile", "runtime", "facade", "testing", "compress", "report", "cli");

    private static final JavaClasses CLASSES =
            new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("dev.upscale");

    @Test
    void aPackageUsesOnlyThoseBeforeIt() {
        for (int later = 1; later < ORDER.size(); later++) {
            String[] after = ORDER.subList(later, ORDER.size()).stream().map(PackageOrderTest::packages).toArray(String[]::new);
            ArchRule rule = noClasses().that().resideInAPackage(packages(ORDER.get(later - 1)))
                    .should().dependOnClassesThat().resideInAnyPackage(after)
                    .because("the order of packages is " + ORDER)
                    .allowEmptyShould(true);
            rule.check(CLASSES);
        }
    }

    @Test
    void everyPackageHasAPlaceInTheOrder() {
        String[] known = ORDER.stream().map(PackageOrderTest::packages).toArray(String[]::new);
        CLASSES.that(not(resideInAnyPackage(known)).and(not(resideInAPackage("dev.upscale.bindings.."))))
                .forEach(stranger -> assertTrue(false, stranger.getName() + " is in a package without a place in the order"));
        assertTrue(CLASSES.stream().anyMatch(resideInAPackage("dev.upscale.graph..")::test), "no classes were read");
    }

    @Test
    void onlyTheRuntimeAndThePublicApiKnowForeignMemory() {
        noClasses().that().resideOutsideOfPackages("dev.upscale", "dev.upscale.runtime..", "dev.upscale.bindings..")
                .should().dependOnClassesThat().resideInAPackage("java.lang.foreign..")
                .check(CLASSES);
    }

    @Test
    void onlyTheRuntimeCallsTheBindings() {
        noClasses().that().resideOutsideOfPackages("dev.upscale.runtime..", "dev.upscale.bindings..")
                .should().dependOnClassesThat().resideInAPackage("dev.upscale.bindings..")
                .check(CLASSES);
    }

    private static String packages(String name) {
        return name.equals("facade") ? "dev.upscale" : "dev.upscale." + name + "..";
    }
}
