package dev.upscale.runtime.cuda;

import dev.upscale.compile.Target;
import dev.upscale.graph.InvalidInput;
import dev.upscale.plan.Element;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * A GPU, described so that plans can be built for it elsewhere: {@code {"name", "properties", "sources"}}. The properties are those that
 * cuDNN asks for, by its names; the sources say where each was taken from. Five are in the jar; {@code doctor --describe-device} writes
 * one of the GPU in a machine.
 *
 * @param name what it is called in targets: {@code cuda:NAME}
 * @param properties numbers, text and lists of numbers
 * @param sources by property, where it comes from
 */
public record DeviceDescription(String name, Map<String, Object> properties, Map<String, String> sources) {
    /** Devices whose descriptions are in the jar. */
    public static final List<String> KNOWN = List.of("h100", "a100", "l4", "rtx4090", "b200");

    /** What cuDNN 9.24 asks for. */
    private static final List<String> REQUIRED = List.of("deviceVer", "driverVer", "cudaDeviceId", "maxGridSize", "maxBlockSize", "regsPerBlock",
            "multiProcessorCount", "smClockRateKHz", "memClockRateKHz", "l2CacheSize", "warpSize", "maxSharedMemoryPerBlock",
            "maxSharedMemoryPerBlockOptin", "reservedSharedMemoryPerBlock", "maxRegistersPerSM", "pciDeviceId", "maxCtasPerSM",
            "maxThreadsPerBlock", "maxThreadsPerSM", "isTccDriver", "supportCoopLaunch", "totalGlobalMem", "deviceName");

    private static final JsonMapper JSON = new JsonMapper();

    /** @throws InvalidInput if a property is missing */
    public DeviceDescription {
        properties = new TreeMap<>(properties);
        sources = Map.copyOf(sources);
        List<String> missing = new ArrayList<>(REQUIRED);
        missing.removeAll(properties.keySet());
        if (!missing.isEmpty()) {
            throw new InvalidInput("device " + name + " has no " + String.join(", ", missing)
                    + "; write a description with doctor --describe-device on a machine that has it");
        }
    }

    /**
     * The device of a target.
     *
     * @param device a name of {@link #KNOWN}, or a file that ends with {@code .json}
     * @throws InvalidInput if there is none, or if the file is no description
     */
    public static DeviceDescription of(String device) {
        if (device.endsWith(".json")) {
            try {
                return parse(Files.readString(Path.of(device)), device);
            } catch (IOException e) {
                throw new InvalidInput(device + ": cannot be read; name a file that doctor --describe-device wrote, or one of "
                        + String.join(", ", KNOWN), e);
            }
        }
        try (InputStream content = KNOWN.contains(device) ? DeviceDescription.class.getResourceAsStream("/dev/upscale/devices/" + device + ".json") : null) {
            if (content == null) {
                throw new InvalidInput("--target cuda:" + device + ": no device of that name; known are " + String.join(", ", KNOWN)
                        + ", and cuda:FILE.json takes a file that doctor --describe-device wrote");
            }
            return parse(new String(content.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8), device);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static DeviceDescription parse(String text, String where) {
        try {
            return JSON.readValue(text, DeviceDescription.class);
        } catch (JacksonException e) {
            Throwable cause = e.getCause();
            while (cause != null && !(cause instanceof InvalidInput)) {
                cause = cause.getCause();
            }
            throw cause instanceof InvalidInput invalid ? invalid.in(where)
                    : new InvalidInput(where + ": is no description of a device: " + e.getOriginalMessage(), e);
        }
    }

    /** The properties as cuDNN takes them. */
    public String propertiesJson() {
        return JSON.writeValueAsString(properties);
    }

    /** The whole description, to be read by {@link #of}. */
    public String json() {
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(this) + "\n";
    }

    /** Ten times the compute capability, times ten: 900 for 9.0. */
    public int capability() {
        return number("deviceVer").intValue();
    }

    /** What plans are compiled for; the rates are estimates from clocks and published rates per clock, not measurements. */
    public Target target(Element element, boolean tensorCores) {
        double perClock = switch (capability() / 10) {
            case 80 -> tensorCores ? 1024 : 64;
            case 90 -> tensorCores ? 2048 : 128;
            case 100, 103 -> tensorCores ? 4096 : 128;
            default -> tensorCores ? 512 : 128;
        };
        double halves = tensorCores && element == Element.F32 ? 0.5 : 1;
        double peakPerNano = perClock * halves * number("multiProcessorCount").doubleValue() * number("smClockRateKHz").doubleValue() / 1e6;
        double reached = 0.4;
        double bytesPerNano = 1000; // read and written: of the order of what all of these memories move
        return new Target("cuda:" + name, element,
                new Target.Rates(1 / (peakPerNano * reached), 2.0 * element.bytes() / bytesPerNano, STEP_NANOS));
    }

    /** What a kernel in a CUDA graph takes at least, by common experience: about two microseconds. */
    private static final double STEP_NANOS = 2000;

    private Number number(String property) {
        if (!(properties.get(property) instanceof Number number)) {
            throw new InvalidInput("device " + name + ": " + property + " is no number");
        }
        return number;
    }
}
