/**
 * Noise on the policy's action while data are collected: without it a log holds one action for each observation, and fine-tuning
 * can't tell what another would have done. It goes in before the shield, so that what is executed is as safe as ever.
 */
import { KitError } from '@sim2servo/models/error';
import type { Random } from '@sim2servo/models/random';

export interface Exploration {
  /** Standard deviation of the normal noise, as a share of the full action. */
  readonly sigma: number;
  readonly random: Random;
}

export function checkExploration(exploration: Exploration): void {
  if (!(exploration.sigma >= 0 && exploration.sigma <= 1))
    throw new KitError(
      'E_EXPLORATION',
      `exploration noise of ${exploration.sigma} is not between 0 and 1`,
      'try 0.1',
      'usage',
    );
}

/** Adds noise to `action` and keeps it in −1 … 1. What is not a number stays so: the shield must see it. */
export function explore(exploration: Exploration, action: Float32Array): void {
  for (let j = 0; j < action.length; j++)
    action[j] = Math.max(-1, Math.min(1, action[j]! + exploration.sigma * exploration.random.normal()));
}
