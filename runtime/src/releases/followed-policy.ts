/** A policy that others take over from, together with who decides about that: the loop's side of a followed release store. */
import type { KitError } from '@sim2servo/models/error';
import type { PolicySession } from '../policy-session.js';
import type { DriveRingMemory } from '../trial/drive-ring.js';
import { DriveOverseer, type Overseer } from '../trial/overseer.js';
import type { TrialNews } from '../trial/trial-news.js';
import { FollowingPolicy } from './following-policy.js';
import type { OpenedRelease } from './release-messages.js';
import type { ReleaseHandlers } from './release-watch.js';

export interface FollowedPolicy {
  readonly policy: FollowingPolicy;
  readonly overseer: Overseer & { close(): void };
  /** For whoever watches the store. */
  readonly handlers: ReleaseHandlers;
}

/** What the run wants to know. */
export interface FollowedEvents {
  /** `trial`: for its trial, or after another's. */
  tookOver(digest: string, trial: boolean): void;
  refused(digest: string, error: KitError): void;
  news(news: TrialNews): void;
}

export interface FollowedOptions {
  readonly session: PolicySession;
  readonly first: OpenedRelease;
  readonly memory: DriveRingMemory;
  readonly controlRateHz: number;
  readonly virtualTime: boolean;
}

export function followedPolicy(
  { session, first, memory, controlRateHz, virtualTime }: FollowedOptions,
  events: FollowedEvents,
): FollowedPolicy {
  /** Somebody judges what drives; without that nobody may drive so. */
  let { onTrial } = first;
  const policy = new FollowingPolicy(
    session,
    controlRateHz,
    ({ digest, serial, share, fallback }) => {
      const trial = onTrial || fallback !== undefined;
      onTrial = fallback !== undefined;
      overseer.drivenBy(serial, share);
      events.tookOver(digest, trial);
    },
    first.fallback,
  );
  const { serial, share } = first;
  const overseer = new DriveOverseer({ memory, policy, controlRateHz, serial, share, virtualTime });
  const back = (reason: string) => {
    if (!policy.fallBack()) overseer.stop = reason;
  };
  return {
    policy,
    overseer,
    handlers: {
      ready: next => policy.offer(next),
      back,
      settle() {
        onTrial = false;
        policy.settle();
      },
      goAt: at => overseer.goAt(at),
      news: events.news,
      refused: events.refused,
      lost(error) {
        overseer.unwatched();
        if (onTrial) back(error.message);
        events.refused(first.digest, error);
      },
    },
  };
}
