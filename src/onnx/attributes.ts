import type { Attribute, Attributes } from "./value.js";

/** An INT attribute, or what ONNX defines as its default. */
export const intOf = (attributes: Attributes, name: string, otherwise: number): number => {
  const value = attributes[name];
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : otherwise;
};

/** An INTS attribute. */
export const intsOf = (attributes: Attributes, name: string): readonly number[] | undefined => {
  const value: Attribute | undefined = attributes[name];
  return Array.isArray(value) ? (value as readonly number[]) : undefined;
};

/** A FLOAT attribute, or what ONNX defines as its default. */
export const floatOf = (attributes: Attributes, name: string, otherwise: number): number => {
  const value = attributes[name];
  if (typeof value === "number") return value;
  return typeof value === "object" && "float" in value ? value.float : otherwise;
};
