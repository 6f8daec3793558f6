/** An update's instructions ahead of time, for an engine that compiles them into one graph. */
import { KitError } from '@sim2servo/models/error';
import type { Declaration, Instruction, Scalars } from '../algorithms/algorithm.js';

/**
 * What happens in update number `index`.
 *
 * @throws KitError E_UPDATE_ORDER where that depends on scalars which only the update itself brings out
 */
export function instructionsOf({ algorithm, update }: Declaration, index: number): Instruction[] {
  const unknown = new Proxy<Scalars>(
    {},
    {
      get: (_, name) => {
        throw new KitError(
          'E_UPDATE_ORDER',
          `What an update of '${algorithm}' does depends on '${String(name)}', which is known only while it runs: it cannot be one graph.`,
          'Use --engine split.',
          'usage',
        );
      },
    },
  );
  const order = update(index);
  const instructions: Instruction[] = [];
  for (let next = order.next(unknown); !next.done; next = order.next(unknown)) instructions.push(next.value);
  return instructions;
}
