/**
 * JSON that every parser reads alike. The format itself lets a key stand twice, and parsers differ in which one they take: what one program has
 * checked could be something else to the next.
 */
import { z } from 'zod';
import { KitError } from './error.js';
import { parseJson } from './json-file.js';

/** Deeper than any record of ours; what goes deeper is meant to exhaust somebody's stack. */
const maxDepth = 16;

/**
 * @param bytes of a file, in UTF-8
 * @throws KitError E_FILE_JSON, E_JSON_DEPTH, E_JSON_KEY (a key that stands twice, or names a prototype), E_FILE_SCHEMA
 */
export function parseStrictJson<Schema extends z.ZodType>(
  bytes: Uint8Array,
  schema: Schema,
  what: string,
): z.infer<Schema> {
  const text = utf8Of(bytes, what);
  parseJson(text, z.unknown(), what);
  checkKeys(text, what);
  return parseJson(text, schema, what);
}

/** @throws KitError E_FILE_JSON where it is none: a lenient reader would take many texts for the same one */
export function utf8Of(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new KitError('E_FILE_JSON', `${what} is not UTF-8 text`, 'mend or restore the file', 'usage', {
      cause: error,
    });
  }
}

/** @param text valid JSON: then strings and brackets are all that has to be told apart */
function checkKeys(text: string, what: string): void {
  /** Of each object or array that is open, the keys so far; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let keyComes = false;
  for (const [token] of text.matchAll(/"(?:[^"\\]+|\\.)*"|[{}[\],]/g)) {
    const keys = open.at(-1);
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined);
      if (open.length > maxDepth) refuse('E_JSON_DEPTH', `${what} is nested deeper than ${maxDepth} levels`);
    } else if (token === '}' || token === ']') open.pop();
    else if (keyComes && keys !== undefined) {
      const key = JSON.parse(token) as string;
      if (keys.has(key)) refuse('E_JSON_KEY', `${what} holds the key ${JSON.stringify(key)} twice in one object`);
      if (key === '__proto__') refuse('E_JSON_KEY', `${what} holds the key ${key}, which not every reader sees`);
      keys.add(key);
    }
    keyComes = token === '{' || (token === ',' && open.at(-1) !== undefined);
  }
}

function refuse(code: string, message: string): never {
  throw new KitError(code, message, 'get the file again from where it was made', 'usage');
}
