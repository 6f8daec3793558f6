/** What the loop's process and the thread that watches its release store tell each other. */
import type { BundleExpectation } from '@sim2servo/models/bundle/load-bundle';
import type { PackedError } from '@sim2servo/models/packed-error';
import type { DriveRingMemory } from '../trial/drive-ring.js';
import type { TrialNews } from '../trial/trial-news.js';
import type { NextPolicy } from './following-policy.js';

export interface ReleaseWatchData {
  readonly store: string;
  /** Their names, in the robot's order. */
  readonly joints: readonly string[];
  /** How the store's policies are verified. */
  readonly expected: BundleExpectation;
  readonly memory: DriveRingMemory;
}

/** The policy that drives from the first tick on. */
export interface OpenedRelease {
  readonly digest: string;
  readonly serial: number;
  readonly share: number;
  readonly onTrial: boolean;
  readonly fallback?: NextPolicy;
}

export type ReleaseMessage =
  | ({ readonly kind: 'opened' } & OpenedRelease)
  | { readonly kind: 'unopened'; readonly error: PackedError }
  | ({ readonly kind: 'ready' } & NextPolicy)
  /** Some policy can't take over, and why. */
  | { readonly kind: 'refused'; readonly digest: string; readonly error: PackedError }
  /** The one on trial gives way to its fallback; without one the arm is stopped. */
  | { readonly kind: 'back'; readonly reason: string }
  | { readonly kind: 'settle' }
  | { readonly kind: 'goAt'; readonly share: number }
  | { readonly kind: 'news'; readonly news: TrialNews }
  /** The store was told the last. */
  | { readonly kind: 'closed' };

export type WatchOrder =
  /** The arm is about to be armed: look for other policies from now on. */
  | { readonly kind: 'go' }
  /** The run is over; `stopped`: for safety, and why. */
  | { readonly kind: 'end'; readonly stopped?: string };
