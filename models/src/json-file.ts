/** Reads a JSON file and checks it against a schema: every complaint names the file and the path inside it. */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { KitError, messageOf } from './error.js';

/** @throws KitError E_FILE_READ, E_FILE_JSON or E_FILE_SCHEMA */
export function readJsonFile<Schema extends z.ZodType>(path: string, schema: Schema, what: string): z.infer<Schema> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new KitError('E_FILE_READ', `can't read ${what} ${path}: ${messageOf(error)}`, 'check the path', 'usage', {
      cause: error,
    });
  }
  return parseJson(text, schema, `${what} ${path}`);
}

export function parseJson<Schema extends z.ZodType>(text: string, schema: Schema, what: string): z.infer<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new KitError('E_FILE_JSON', `${what} is not JSON: ${messageOf(error)}`, 'mend or restore the file', 'usage');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const complaints = parsed.error.issues.map(issue => `  ${pathOf(issue.path)}: ${issue.message}`);
    throw new KitError(
      'E_FILE_SCHEMA',
      `${what} does not fit its schema:\n${complaints.join('\n')}`,
      'mend the named paths',
      'usage',
    );
  }
  return parsed.data;
}

/** `joints[0].range` */
function pathOf(path: readonly PropertyKey[]): string {
  return (
    path.reduce<string>(
      (text, key) =>
        typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`,
      '',
    ) || '(top level)'
  );
}
