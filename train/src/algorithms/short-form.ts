/**
 * The short form of an algorithm: losses in their order, each with the groups it trains and how often, then the averages. Most off-policy
 * learners need no more. Expands to the programs and the update generator of algorithm.ts.
 */
import type { Declaration, Instruction, Program, Scalars } from './algorithm.js';

export interface Loss {
  readonly name: string;
  readonly trains: readonly string[];
  readonly loss: Program['run'];
  /** Runs in every n-th update; 1 unless given. Averages still follow every update. */
  readonly every?: number;
  /** Rests in the first n updates. */
  readonly after?: number;
}

export type ShortForm = Omit<Declaration, 'programs' | 'update'> & { readonly losses: readonly Loss[] };

/**
 * Averages follow the first loss that trains their source, within the same update: a target moves after its critic, never before.
 */
export function fromLosses({ losses, ...rest }: ShortForm): Declaration {
  const programs = Object.fromEntries(losses.map(({ name, trains, loss }) => [name, { trains, run: loss }]));
  const averagesAfter = losses.map(({ trains }) =>
    Object.keys(rest.averages).filter(average => trains.includes(rest.averages[average]!.of)),
  );

  function* update(index: number): Generator<Instruction, void, Scalars> {
    for (const [i, { name, every = 1, after = 0 }] of losses.entries()) {
      if (index < after || (index + 1) % every !== 0) continue;
      yield { kind: 'apply', program: name };
      for (const average of averagesAfter[i]!) yield { kind: 'average', average };
    }
  }
  return { ...rest, programs, update };
}
