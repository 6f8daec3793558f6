/** One deployment as the deployer sees it: only what the robot lacks is sent, then the robot does the rest and tells of it. */
import { type Bundle, type BundleExpectation, contentsOf, loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { sha256 } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import type { HistoryEntry } from '@sim2servo/runtime/releases/history';
import { resolvePolicy } from '@sim2servo/runtime/releases/release-store';
import { refuseBad, type Trial } from '@sim2servo/runtime/releases/store-state';
import { type Answers, type OutgoingFile, protocolVersion, type RobotConnection } from '../agent/protocol.js';

export type DeployStep =
  | { readonly kind: 'checked'; readonly name: string; readonly digest: string; readonly signed: boolean }
  | { readonly kind: 'connected'; readonly hello: Answers['hello'] }
  | { readonly kind: 'lacking'; readonly lacking: number; readonly files: number; readonly bytes: number }
  /** Comes often; `sent` comes once. */
  | { readonly kind: 'sending' | 'sent'; readonly bytes: number; readonly ofBytes: number }
  | { readonly kind: 'robot'; readonly entry: HistoryEntry };

export interface DeployOptions {
  /** What the bundle must fit already here; the robot looks at its own. */
  readonly expected?: BundleExpectation;
  readonly skip?: Trial['skip'];
  /** Why it is to be tried again on a robot that it failed on. */
  readonly retryBad?: string | undefined;
  /** Who asks, for the history. */
  readonly by: string;
  /** Leaves the robot to itself. */
  readonly signal?: AbortSignal;
  /** @param seconds that the step took, or takes so far */
  readonly onStep?: (step: DeployStep, seconds: number) => void;
  /** Asked once before anything is sent. @throws to leave everything as it is */
  readonly agree?: (hello: Answers['hello']) => Promise<void>;
}

export interface DeployReport {
  readonly digest: string;
  readonly id: string;
  /** `current`: it is what `current` names. `waiting`: the next run tries it. */
  readonly outcome: 'current' | Answers['follow']['outcome'];
  readonly words: string;
  /** A loop drives there, with it or with another. */
  readonly driven: boolean;
  /** What drives again where this one fails. */
  readonly previous: string | undefined;
  readonly files: number;
  readonly sentFiles: number;
  readonly sentBytes: number;
  /** Of the self-test on the robot. */
  readonly figures: Readonly<Record<string, number>>;
}

/** What is so on the robot if it ends here. */
const states = {
  before: 'nothing has changed on the robot; what had arrived is kept, and is not sent again',
  install: 'the robot ends the installation by itself; see kit deploy status',
  busy: 'what had arrived is kept, and is not sent again',
  refused: 'the robot has what it had before',
  trial: 'the trial goes on without us, and ends by itself; see kit deploy status',
} as const;

const overtaken: ReadonlySet<string> = new Set(['E_DEPLOY_LACKING', 'E_DEPLOY_UNASKED']);

/** @throws KitError the robot's own, or the connection's; with what is so on the robot then */
export async function deployBundle(
  connection: RobotConnection,
  from: string | OutgoingBundle,
  { expected, skip = {}, retryBad, by, signal, onStep = () => {}, agree }: DeployOptions,
): Promise<DeployReport> {
  let since = performance.now();
  const seconds = () => (performance.now() - since) / 1000;
  const step = (what: DeployStep) => {
    onStep(what, seconds());
    if (what.kind !== 'sending') since = performance.now();
  };
  const { bundle, files } = typeof from === 'string' ? readOutgoing(from, expected) : from;
  step({
    kind: 'checked',
    name: bundle.manifest.name,
    digest: bundle.digest,
    signed: files.has('policy.json.minisig'),
  });

  let state: string = states.before;
  try {
    const hello = await until(connection.request({ kind: 'hello', protocol: protocolVersion }), signal);
    step({ kind: 'connected', hello });
    // The robot looks again; what it will refuse for sure is not sent.
    refuseBad(hello.state, bundle.digest, retryBad);
    await agree?.(hello);
    since = performance.now();
    const sent = { sentFiles: 0, sentBytes: 0 };
    const figures: Record<string, number> = {};
    const onEntry = (entry: HistoryEntry) => {
      if (entry.event === 'tested') Object.assign(figures, entry.figures);
      if (entry.event === 'refused') state = states.refused;
      onStep({ kind: 'robot', entry }, entry.seconds);
    };
    const signature = files.get('policy.json.minisig')?.sha256;
    const install = {
      kind: 'install',
      manifest: bundle.digest,
      ...(signature && { signature }),
      skip,
      ...(retryBad !== undefined && { retryBad }),
      by,
    } as const;
    const bring = async () => {
      state = states.before;
      await sendLacking(connection, [...files.values()], sent, signal, step);
      state = states.install;
      return until(connection.request(install, onEntry), signal);
    };
    const { id, outcome } = await bring().catch(error => {
      // Another deployer's installation: what the robot had when it was asked went with an old release, or what it lacked is there by now.
      if (error instanceof KitError && overtaken.has(error.code)) return bring();
      throw error;
    });
    let end: { readonly outcome: DeployReport['outcome']; readonly words: string } = {
      outcome: 'current',
      words: 'it is the current policy',
    };
    if (outcome === 'proposed') {
      state = states.trial;
      end = await until(connection.request({ kind: 'follow', id }, onEntry), signal);
    }
    const { previous, state: after, running } = await until(connection.request({ kind: 'status' }), signal);
    const before = after.trial?.digest === bundle.digest ? after.trial.replaces : previous;
    const driven = running !== undefined;
    return { digest: bundle.digest, id, ...end, driven, previous: before, files: files.size, ...sent, figures };
  } catch (error) {
    if (signal?.aborted === true)
      throw new KitError('E_INTERRUPTED', `interrupted: ${state}`, 'kit deploy goes on where it was', 'interrupt');
    if (!(error instanceof KitError)) throw error;
    if (error.code === 'E_DEPLOY_BUSY') state = states.busy;
    throw new KitError(error.code, `${error.message}\n  ${state}`, error.hint, error.exit, { cause: error });
  }
}

/** A bundle as it was when it was read. */
export interface OutgoingBundle {
  readonly bundle: Bundle;
  /** By name, the manifest first. */
  readonly files: ReadonlyMap<string, OutgoingFile>;
}

/** @throws KitError what {@link loadBundle} throws */
export function readOutgoing(folder: string, expected?: BundleExpectation): OutgoingBundle {
  const bundle = loadBundle(resolvePolicy(folder), expected);
  const files = new Map<string, OutgoingFile>();
  for (const [name, content] of contentsOf(bundle)) files.set(name, { sha256: sha256(content), content });
  return { bundle, files };
}

/** @param sent what goes to the robot is added to it */
async function sendLacking(
  connection: RobotConnection,
  files: readonly OutgoingFile[],
  sent: { sentFiles: number; sentBytes: number },
  signal: AbortSignal | undefined,
  step: (what: DeployStep) => void,
): Promise<void> {
  const wanted = files.map(({ sha256, content }) => ({ sha256, bytes: content.length }));
  const lacking = await until(connection.request({ kind: 'lacking', files: wanted }), signal);
  const outgoing = files.flatMap(file => {
    const from = lacking.find(({ sha256 }) => sha256 === file.sha256)?.from;
    return from === undefined ? [] : [{ file, from }];
  });
  const ofBytes = outgoing.reduce((sum, { file, from }) => sum + file.content.length - from, 0);
  step({ kind: 'lacking', lacking: outgoing.length, files: files.length, bytes: ofBytes });
  let done = 0;
  for (const { file, from } of outgoing) {
    const onSent = (bytes: number) => step({ kind: 'sending', bytes: done + bytes - from, ofBytes });
    await until(sendWhole(connection, file, from, onSent), signal);
    done += file.content.length - from;
    sent.sentFiles++;
    sent.sentBytes += file.content.length - from;
  }
  if (outgoing.length > 0) step({ kind: 'sent', bytes: done, ofBytes });
}

/** What had come before may have been spoilt since, by a loss of power for instance: then the whole file comes once more. */
async function sendWhole(
  connection: RobotConnection,
  file: OutgoingFile,
  from: number,
  onSent: (bytes: number) => void,
): Promise<void> {
  const received = { kind: 'received', sha256: file.sha256 } as const;
  if (from < file.content.length || from === 0) await connection.send(file, from, onSent);
  try {
    await connection.request(received);
  } catch (error) {
    if (!(error instanceof KitError) || error.code !== 'E_DEPLOY_DIGEST' || from === 0) throw error;
    await connection.send(file, 0, onSent);
    await connection.request(received);
  }
}

/** `work`, or the interruption, whichever comes first. */
export function until<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const stop = () =>
      reject(new KitError('E_INTERRUPTED', 'interrupted: nothing has changed', 'run it again', 'interrupt'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
