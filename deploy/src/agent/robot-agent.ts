/**
 * The robot's side of a deployment: answers requests against a release store. It carries no transport, moves nothing, and switches nothing
 * while a loop runs: it lets a policy in and proposes it; who drives tries it (docs/deploy.md).
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundleFiles } from '@sim2servo/models/bundle/bundle-folder';
import { type BundleExpectation, loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { expectationOf } from '@sim2servo/models/bundle/signed-manifest';
import { shortDigest } from '@sim2servo/models/digest';
import { KitError, messageOf } from '@sim2servo/models/error';
import { type LoadedRobot, loadRobot } from '@sim2servo/models/robot-folder';
import { runtimeVersion } from '@sim2servo/models/version';
import { type Disk, realDisk } from '@sim2servo/runtime/releases/disk';
import type { HistoryEntry } from '@sim2servo/runtime/releases/history';
import { type AgentStore, type OpenOptions, openAgentStore } from './agent-store.js';
import { failedDeployment, type LastError } from './health.js';
import { freeBytes, Incoming } from './incoming.js';
import { type Answers, type AnswerTo, protocolVersion, type Request, type Status } from './protocol.js';
import { receivedFiles } from './received-files.js';

export interface AgentOptions {
  /** Folder of the release store; it needs not exist yet. */
  readonly store: string;
  /** Robot folder or shipped robot: who it is, and whose signatures it trusts. Without one any bundle may come. */
  readonly robot?: string | undefined;
  /** For one connection alone: its files come to a place of their own. */
  readonly apart?: boolean;
  readonly openStore?: (folder: string, options: OpenOptions) => AgentStore;
  /** What the store lies on. */
  readonly disk?: Disk;
  /** Why the service that drives the arm does not, where there is one. */
  readonly driveError?: () => Promise<LastError | undefined>;
}

/** Ends what only waits, when who asked has gone. */
export interface Asking {
  readonly onEvent: (entry: HistoryEntry) => void;
  readonly signal: AbortSignal;
}

type InstallRequest = Extract<Request, { kind: 'install' }>;
type Step = Pick<HistoryEntry, 'event' | 'words' | 'figures'>;

const pollMs = 200;
/** More than the longest phase of a trial lasts; where nothing happens for so long nobody is trying. */
const silenceMs = 60_000;
const historyOfOne = 200;
const ofTrials: ReadonlySet<HistoryEntry['event']> = new Set(['shadow', 'limited', 'full', 'committed', 'rolled-back']);

export class RobotAgent {
  readonly #options: AgentOptions;
  readonly incoming: Incoming;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.incoming = new Incoming(options.store, options);
  }

  /** @throws KitError why not; the store is whole then */
  async answer<R extends Request>(request: R, asking: Asking): Promise<AnswerTo<R>> {
    return (await this.#answer(request, asking)) as AnswerTo<R>;
  }

  async #answer(request: Request, asking: Asking): Promise<Answers[Request['kind']]> {
    switch (request.kind) {
      case 'hello':
        if (request.protocol !== protocolVersion)
          throw new KitError(
            'E_AGENT_PROTOCOL',
            `the robot speaks version ${protocolVersion} of the deployment protocol, and was asked in ${request.protocol}`,
            'provision the robot again with this kit: kit provision',
          );
        return { protocol: protocolVersion, incoming: this.incoming.place, ...(await this.status()) };
      case 'lacking':
        return this.incoming.lacking(request.files);
      case 'received':
        this.incoming.received(request.sha256);
        return {};
      case 'install':
        return this.#store().locked(request.by, () => this.#install(request, asking));
      case 'follow':
        return this.#follow(request.id, asking);
      case 'status':
        return this.status();
      case 'history':
        return this.#store(true).history(request.last);
      case 'rollback': {
        const store = this.#store();
        const { reason, by } = request;
        return store.locked(by, async () => ({ digest: await store.rollback(reason, by, this.#expected()) }));
      }
    }
  }

  async status(): Promise<Status> {
    const store = this.#store(true);
    const current = store.current();
    const previous = store.previous();
    const running = store.running();
    const robot = this.#robot();
    const lastError = (await this.#options.driveError?.()) ?? failedDeployment(store.history(historyOfOne));
    return {
      ...(robot !== undefined && { robot: robot.spec.name }),
      runtimeVersion,
      platform: `${process.platform}-${process.arch}`,
      ...(current !== undefined && { current }),
      ...(previous !== undefined && { previous }),
      state: store.state(),
      ...(running !== undefined && { running }),
      freeBytes: freeBytes(store.folder),
      ...(lastError && { lastError }),
    };
  }

  #store(onlyRead = false): AgentStore {
    const { openStore = openAgentStore, store, disk = realDisk } = this.#options;
    return openStore(store, { onlyRead, disk });
  }

  /** Read anew each time: keys may have been trusted or revoked meanwhile. */
  #robot(): LoadedRobot | undefined {
    return this.#options.robot === undefined ? undefined : loadRobot(this.#options.robot);
  }

  #expected(): BundleExpectation {
    const robot = this.#robot();
    return robot === undefined ? {} : expectationOf(robot);
  }

  async #install(
    { manifest, signature, skip, retryBad, by }: InstallRequest,
    { onEvent }: Asking,
  ): Promise<Answers['install']> {
    const store = this.#store();
    const expected = this.#expected();
    const id = randomUUID();
    let since = performance.now();
    const note = (step: Step) => {
      const now = performance.now();
      const entry = { at: new Date().toISOString(), id, digest: manifest, seconds: (now - since) / 1000, by, ...step };
      since = now;
      store.note(entry);
      onEvent(entry);
    };
    try {
      const received = receivedFiles(this.incoming, { manifest, signature }, expected);
      const paths = new Map([...received].map(([name, { path }]) => [name, path]));
      const bundle = loadBundle('the bundle', expected, bundleFiles(paths));
      note({
        event: 'verified',
        words:
          bundle.signature === undefined
            ? 'digests; nobody had to sign it'
            : `digests; signed by key ${bundle.signature.keyId}`,
      });
      const { backend, goldenMaxError, inferUs } = await store.admit(bundle, expected, retryBad);
      note({
        event: 'tested',
        words: `golden vectors within ${goldenMaxError.toExponential(1)}, inference p99 ${inferUs.p99.toFixed(0)} µs (${backend})`,
        figures: { goldenMaxError, inferP50Us: inferUs.p50, inferP99Us: inferUs.p99 },
      });
      note({ event: 'admitted', words: `whole, in releases/${shortDigest(manifest)}` });
      const proposed = store.propose(manifest, { id, skip, retryBad, by });
      this.incoming.remove([...received.values()].map(({ sha256 }) => sha256));
      if (!proposed) return { id, outcome: 'current' };
      const noted = store.history(1).at(-1);
      if (noted?.id === id) onEvent(noted);
      return { id, outcome: 'proposed' };
    } catch (error) {
      // What is lacking is brought at once, to what is here.
      if (!(error instanceof KitError && error.code === 'E_DEPLOY_LACKING')) this.incoming.discard();
      try {
        note({ event: 'refused', words: messageOf(error).slice(0, 2000) });
      } catch {
        // A disk that takes nothing takes no note either; why nothing was installed is what is told.
      }
      throw error;
    }
  }

  /** Tells of a trial until it ends. It goes on whether anybody follows or not. */
  async #follow(id: string, { onEvent, signal }: Asking): Promise<Answers['follow']> {
    let told = 0;
    let unknown = 0;
    for (let since = performance.now(); !signal.aborted; await sleep(pollMs)) {
      // Opened anew each time: where the run has died on trial, that finishes the trial.
      const store = this.#store();
      // In this order: what ends between the two is in the history.
      const { trial } = store.state();
      const entries = store.history(historyOfOne).filter(entry => entry.id === id && ofTrials.has(entry.event));
      for (const entry of entries.slice(told)) onEvent(entry);
      if (entries.length > told) since = performance.now();
      told = entries.length;
      const last = entries.at(-1);
      if (last?.event === 'committed' || last?.event === 'rolled-back')
        return { outcome: last.event, words: last.words };
      if (trial?.id !== id) {
        // Once may be between the end of the trial and its line in the history.
        if (++unknown < 2) continue;
        throw new KitError(
          'E_DEPLOY_UNKNOWN',
          `nothing is known of deployment ${id}`,
          'see kit deploy history',
          'usage',
        );
      }
      if (store.running() === undefined)
        return { outcome: 'waiting', words: 'nobody drives just now; the next kit run tries it' };
      if (trial.waits !== undefined) return { outcome: 'waiting', words: trial.waits };
      if (performance.now() - since > silenceMs)
        return {
          outcome: 'undecided',
          words: `a loop drives, and nothing was heard of the trial for ${silenceMs / 1000} s`,
        };
    }
    return { outcome: 'waiting', words: 'nobody follows any more' };
  }
}
