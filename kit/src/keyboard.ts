/** Single keys from a terminal, without Enter. Whatever ends the command, the terminal is itself again afterwards. */
import type { Readable } from 'node:stream';
import { KitError } from '@sim2servo/models/error';

/** Standard input, or what a test gives in its place. */
export type KeyInput = Pick<Readable, 'on' | 'off' | 'resume' | 'pause'> & {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
};

export interface KeyHandlers {
  /** A character in lower case, 'enter' or 'backspace'. */
  press(key: string): void;
  /** Ctrl-C, which a terminal that gives single keys turns into no signal; and the terminal's own end. */
  interrupt(): void;
}

const named: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\x7f': 'backspace',
  '\b': 'backspace',
};
const ctrlC = '\x03';
const escapeKey = '\x1b';

export function hasKeys(input: KeyInput): boolean {
  return input.isTTY === true;
}

/**
 * Reads keys until the returned function is called.
 *
 * @throws KitError E_NO_KEYBOARD where the input is no terminal
 */
export function openKeyboard(input: KeyInput, { press, interrupt }: KeyHandlers): () => void {
  if (!hasKeys(input))
    throw new KitError('E_NO_KEYBOARD', 'there are no keys: stdin is not a terminal', 'run it in a terminal', 'usage');
  const receive = (chunk: Buffer | string) => {
    const text = chunk.toString();
    if (text.includes(ctrlC)) return interrupt();
    // Arrows and the like come as an escape and what follows: they are no key of ours, nor are their letters.
    for (const key of text.split(escapeKey)[0]!) press(named[key] ?? key.toLowerCase());
  };
  const restore = () => void input.setRawMode?.(false);
  input.setRawMode?.(true);
  process.once('exit', restore);
  input.on('data', receive);
  input.on('end', interrupt);
  input.resume();
  return () => {
    input.off('data', receive);
    input.off('end', interrupt);
    input.pause();
    restore();
    process.off('exit', restore);
  };
}
