/** A group's parameters between one flat array and the named ones of a saved state. */
import type { GroupLayout } from './group-layout.js';

type Values = Record<string, Float32Array>;

/** A new flat array with the values named `owner/…`; the padding is 0. */
export function flatten(owner: string, layout: GroupLayout, from: Readonly<Values>): Float32Array {
  const flat = new Float32Array(layout.length);
  for (const { name, offset } of layout.parameters) flat.set(from[`${owner}/${name}`]!, offset);
  return flat;
}

/** Copies of the parts of a flat array, under their names `owner/…`. */
export function unflatten(owner: string, layout: GroupLayout, flat: Float32Array, into: Values): void {
  for (const { name, offset, length } of layout.parameters) {
    into[`${owner}/${name}`] = flat.slice(offset, offset + length);
  }
}
