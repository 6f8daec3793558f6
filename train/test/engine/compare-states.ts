/** How far two engines' parameters are apart. */
import type t from 'tap';
import type { EngineState } from '../../src/engine/engine.js';

/** |a − b| / |a| over all parameters of a group. */
export function relativeDistance(a: EngineState, b: EngineState, group: string): number {
  let [difference, norm] = [0, 0];
  for (const [name, values] of Object.entries(a.parameters)) {
    if (!name.startsWith(`${group}/`)) continue;
    values.forEach((value, i) => {
      difference += (value - b.parameters[name]![i]!) ** 2;
      norm += value ** 2;
    });
  }
  return Math.sqrt(difference / norm);
}

/** Every group of SAC within 1e-4 of its norm of the reference, and moved from where it started. */
export function sameParameters(
  tap: Pick<typeof t, 'ok' | 'equal' | 'same'>,
  name: string,
  state: EngineState,
  { start, reference }: { readonly start: EngineState; readonly reference: EngineState },
): void {
  tap.equal(state.updates, reference.updates);
  tap.same(state.optimiserSteps, reference.optimiserSteps);
  for (const group of ['actor', 'critics', 'targetCritics', 'logAlpha']) {
    const distance = relativeDistance(reference, state, group);
    tap.ok(distance < 1e-4, `${name}: ${group} differs by ${distance} of its norm`);
    tap.ok(group === 'logAlpha' || relativeDistance(start, state, group) > 1e-4, `${name}: ${group} moved`);
  }
}
