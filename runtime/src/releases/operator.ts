/** Who asks for a change of a release store, for its history. */
import { hostname } from 'node:os';

/** `user@host`. Not by the system's list of users: a container's user need not stand there. */
export function operator(): string {
  const user = process.env.USER ?? process.env.USERNAME ?? `user ${process.getuid?.() ?? 'unknown'}`;
  return `${user}@${hostname()}`;
}
