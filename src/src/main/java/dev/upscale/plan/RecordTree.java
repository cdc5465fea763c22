package dev.upscale.plan;

import dev.upscale.graph.InvalidInput;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Records as trees of JSON values and back, strictly: a record is an object with one field per component; a record of a
 * sealed interface also has {@code "type"}, its simple name; an enum is its name; an empty {@link Optional} is left out.
 * Reading takes nothing else: no missing or unknown field, no number out of range, no conversion.
 */
final class RecordTree {
    private static final String TYPE = "type";

    /** What reflection says about a record, asked once: it is slow. */
    private record Form(
            List<String> names, List<Type> types, List<Method> accessors, Constructor<?> constructor, boolean hasType) {
        static Form of(Class<?> type) {
            RecordComponent[] components = type.getRecordComponents();
            Class<?>[] classes = Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
            try {
                return new Form(
                        Arrays.stream(components).map(RecordComponent::getName).toList(),
                        Arrays.stream(components).map(RecordComponent::getGenericType).toList(),
                        Arrays.stream(components).map(RecordComponent::getAccessor).toList(),
                        type.getDeclaredConstructor(classes),
                        Arrays.stream(type.getInterfaces()).anyMatch(Class::isSealed));
            } catch (NoSuchMethodException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static final ClassValue<Form> FORMS = new ClassValue<>() {
        @Override
        protected Form computeValue(Class<?> type) {
            return Form.of(type);
        }
    };

    private RecordTree() {}

    /** The value as maps, lists, strings, numbers and booleans. */
    static Object of(Object value) {
        return switch (value) {
            case Record record -> ofRecord(record);
            case List<?> list -> list.stream().map(RecordTree::of).toList();
            case Enum<?> constant -> constant.name();
            default -> value;
        };
    }

    private static Map<String, Object> ofRecord(Record record) {
        Map<String, Object> tree = new TreeMap<>();
        Form form = FORMS.get(record.getClass());
        if (form.hasType()) {
            tree.put(TYPE, record.getClass().getSimpleName());
        }
        for (int i = 0; i < form.names().size(); i++) {
            Object value = valueOf(form.accessors().get(i), record);
            if (!(value instanceof Optional<?> optional)) {
                tree.put(form.names().get(i), of(value));
            } else if (optional.isPresent()) {
                tree.put(form.names().get(i), of(optional.get()));
            }
        }
        return tree;
    }

    private static Object valueOf(Method accessor, Record record) {
        try {
            return accessor.invoke(record);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * The record of a tree.
     *
     * @param at where the tree stands in the plan, for errors, for example {@code steps[3].source}
     * @throws InvalidInput if the tree does not fit the type; the message names the place
     */
    static <T extends Record> T read(Object tree, Class<T> type, String at) {
        return type.cast(read(tree, (Type) type, at));
    }

    private static Object read(Object tree, Type type, String at) {
        if (type instanceof ParameterizedType list && list.getRawType() == List.class) {
            return readList(tree, list.getActualTypeArguments()[0], at);
        }
        if (type instanceof ParameterizedType map && map.getRawType() == Map.class && Map.of().equals(tree)) {
            return tree;
        }
        if (!(type instanceof Class<?> plain)) {
            throw new InvalidInput(at + " cannot be read as " + type);
        }
        if (plain.isSealed()) {
            return readSealed(tree, plain, at);
        }
        if (plain.isRecord()) {
            return readRecord(object(tree, at), plain, at);
        }
        if (plain.isEnum()) {
            return readEnum(tree, plain, at);
        }
        return readScalar(tree, plain, at);
    }

    private static List<Object> readList(Object tree, Type element, String at) {
        if (!(tree instanceof List<?> list)) {
            throw new InvalidInput(at + " is not a list");
        }
        List<Object> values = new ArrayList<>(list.size());
        for (int i = 0; i < list.size(); i++) {
            values.add(read(list.get(i), element, at + "[" + i + "]"));
        }
        return values;
    }

    private static Object readSealed(Object tree, Class<?> type, String at) {
        Map<String, Object> fields = object(tree, at);
        Object name = fields.get(TYPE);
        for (Class<?> permitted : type.getPermittedSubclasses()) {
            if (permitted.getSimpleName().equals(name)) {
                return readRecord(fields, permitted, at);
            }
        }
        throw new InvalidInput(at + " has the type " + name + ", which is no " + type.getSimpleName());
    }

    private static Object readRecord(Map<String, Object> fields, Class<?> type, String at) {
        Form form = FORMS.get(type);
        Object[] values = new Object[form.names().size()];
        Set<String> unknown = new HashSet<>(fields.keySet());
        if (form.hasType()) {
            requireType(fields.get(TYPE), type, at);
            unknown.remove(TYPE);
        }
        for (int i = 0; i < values.length; i++) {
            String name = form.names().get(i);
            values[i] = readField(fields.get(name), form.types().get(i), at.isEmpty() ? name : at + "." + name);
            unknown.remove(name);
        }
        if (!unknown.isEmpty()) {
            throw new InvalidInput(at + " has the unknown fields " + unknown);
        }
        try {
            return form.constructor().newInstance(values);
        } catch (InvocationTargetException e) {
            throw new InvalidInput(at + " is not valid: " + e.getCause().getMessage(), e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Object readField(Object field, Type type, String at) {
        if (type instanceof ParameterizedType optional && optional.getRawType() == Optional.class) {
            return Optional.ofNullable(field).map(value -> read(value, optional.getActualTypeArguments()[0], at));
        }
        if (field == null) {
            throw new InvalidInput(at + " is missing");
        }
        return read(field, type, at);
    }

    private static void requireType(Object name, Class<?> type, String at) {
        if (!type.getSimpleName().equals(name)) {
            throw new InvalidInput(at + " has the type " + name + ", not " + type.getSimpleName());
        }
    }

    private static Object readEnum(Object tree, Class<?> type, String at) {
        for (Object constant : type.getEnumConstants()) {
            if (((Enum<?>) constant).name().equals(tree)) {
                return constant;
            }
        }
        throw new InvalidInput(at + " is " + tree + ", which is no " + type.getSimpleName());
    }

    private static Object readScalar(Object tree, Class<?> type, String at) {
        if (type == String.class && tree instanceof String || type == boolean.class && tree instanceof Boolean
                || type == float.class && tree instanceof Float || isLong(type) && tree instanceof Long) {
            return tree;
        }
        if ((type == int.class || type == Integer.class) && tree instanceof Long number && number == number.intValue()) {
            return number.intValue();
        }
        if (type == float.class && List.of("Infinity", "-Infinity", "NaN").contains(tree)) {
            return Float.parseFloat((String) tree);
        }
        throw new InvalidInput(at + " is no " + type.getSimpleName());
    }

    private static boolean isLong(Class<?> type) {
        return type == long.class || type == Long.class;
    }

    /** The fields of an object, in a map of their own. */
    static Map<String, Object> object(Object tree, String at) {
        if (!(tree instanceof Map<?, ?> map)) {
            throw new InvalidInput(at + " is not an object");
        }
        Map<String, Object> fields = new TreeMap<>();
        map.forEach((key, value) -> fields.put((String) key, value));
        return fields;
    }
}
