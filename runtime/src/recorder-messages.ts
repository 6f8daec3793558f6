/** What the recorder and its thread tell each other. */
import type { ExitReason } from '@sim2servo/models/error';
import type { RingMemory } from './record-ring.js';

export interface RecorderWorkerData {
  readonly memory: RingMemory;
  readonly path: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly policyDigest: string;
}

export interface RecordedLog {
  readonly records: number;
  readonly chunks: number;
  readonly bytes: number;
}

export type RecorderMessage =
  | { readonly kind: 'ready' }
  | ({ readonly kind: 'closed' } & RecordedLog)
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      readonly hint: string;
      readonly exit: ExitReason;
    };
