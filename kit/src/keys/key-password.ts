/** Passwords of secret keys: asked of a person on the terminal, unseen, or taken from `KIT_KEY_PASSWORD` where nobody is there. */
import { KitError } from '@sim2servo/models/error';
import type { CommandContext } from '../command-context.js';

export const passwordVariable = 'KIT_KEY_PASSWORD';

async function asked({ io, signal }: CommandContext, question: string): Promise<string> {
  const password = await io.secret(question, signal);
  if (password !== undefined) return password;
  throw new KitError(
    'E_KEY_PASSWORD_UNSAID',
    'nobody gave the password: stdin is not a terminal, or it has ended',
    `set ${passwordVariable}, or run it on a terminal`,
    'usage',
  );
}

export async function passwordOf(name: string, context: CommandContext): Promise<string> {
  const password = process.env[passwordVariable] ?? (await asked(context, `Password of the key '${name}': `));
  context.io.err('Opening the key: this takes some seconds, on purpose…');
  return password;
}

/** @throws KitError E_KEY_PASSWORD_EMPTY, E_KEY_PASSWORD_TWICE, E_KEY_PASSWORD_UNSAID */
export async function newPassword(name: string, context: CommandContext): Promise<string> {
  const given = process.env[passwordVariable];
  const password = given ?? (await asked(context, `Password for the new key '${name}': `));
  if (password === '')
    throw new KitError(
      'E_KEY_PASSWORD_EMPTY',
      'an empty password protects nothing',
      'take another, or say so with --no-password',
      'usage',
    );
  if (given === undefined && (await asked(context, 'The same once more: ')) !== password)
    throw new KitError('E_KEY_PASSWORD_TWICE', 'the two passwords differ: no key was made', 'run it again', 'usage');
  context.io.err('Encrypting the key: this takes some seconds, on purpose…');
  return password;
}
