/** What the agent needs of a release store, and who gives it. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Bundle, BundleExpectation } from '@sim2servo/models/bundle/load-bundle';
import { KitError } from '@sim2servo/models/error';
import { readJsonFile } from '@sim2servo/models/json-file';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { type HistoryEntry, historyEntrySchema } from '@sim2servo/runtime/releases/history';
import { deployToFolder } from '@sim2servo/runtime/releases/release-store';
import type { SelfTest } from '@sim2servo/runtime/releases/self-test';
import { emptyState, type StoreState, storeStateSchema, type Trial } from '@sim2servo/runtime/releases/store-state';

/** What a robot asks of every policy that it runs. */
export function expectationOf(robot: LoadedRobot): BundleExpectation {
  return { robot, trustedKeys: robot.site.trustedKeys };
}

export interface AgentStore {
  readonly folder: string;
  state(): StoreState;
  current(): string | undefined;
  previous(): string | undefined;
  /** The loop that follows this store. */
  running(): { readonly digest: string; readonly sinceS: number } | undefined;
  history(last: number): HistoryEntry[];
  note(entry: HistoryEntry): void;
  /** One deployer at a time. @throws KitError E_DEPLOY_BUSY who has it, and since when */
  locked<Result>(by: string, work: () => Promise<Result>): Promise<Result>;
  /** Copies, syncs and tests it here, and lets it in. @throws KitError the store is as it was then */
  admit(bundle: Bundle, expected: BundleExpectation): Promise<SelfTest>;
  /** Puts it on trial, and notes that; where no loop drives it is current at once, and the next run tries it. @returns false where it drives already */
  propose(digest: string, what: Pick<Trial, 'id' | 'skip'> & { readonly by: string }): boolean;
  /** @returns digest of what drives from now on */
  rollback(reason: string, by: string): Promise<string>;
}

/** Opens the store at `folder`, which needs not exist yet. */
export function openAgentStore(folder: string): AgentStore {
  const linked = (link: 'current' | 'previous') => {
    try {
      return basename(readlinkSync(join(folder, link)));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw error;
    }
  };
  const historyPath = join(folder, 'history.jsonl');
  return {
    folder,
    state: () => {
      const path = join(folder, 'state.json');
      return existsSync(path) ? readJsonFile(path, storeStateSchema, 'the state of a release store') : emptyState;
    },
    current: () => linked('current'),
    previous: () => linked('previous'),
    running: () => undefined,
    history: last =>
      existsSync(historyPath)
        ? readFileSync(historyPath, 'utf8')
            .split('\n')
            .filter(line => line !== '')
            .slice(-last)
            .map(line => historyEntrySchema.parse(JSON.parse(line)))
        : [],
    note: entry => {
      if (existsSync(folder)) appendFileSync(historyPath, `${JSON.stringify(entry)}\n`);
    },
    locked: (by, work) => locked(folder, by, work),
    admit: (bundle, expected) => deployToFolder(bundle.folder, folder, expected),
    propose: () => false,
    rollback: async () => {
      const previous = linked('previous');
      if (previous === undefined)
        throw new KitError('E_ROLLBACK_NONE', `${folder} has no policy from before`, 'deploy one', 'usage');
      await deployToFolder(join(folder, 'releases', previous), folder);
      return previous;
    },
  };
}

async function locked<Result>(folder: string, by: string, work: () => Promise<Result>): Promise<Result> {
  const path = join(folder, 'lock');
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(path, JSON.stringify({ pid: process.pid, by }), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const owner = JSON.parse(readFileSync(path, 'utf8')) as { pid: number; by: string };
    if (alive(owner.pid))
      throw new KitError(
        'E_DEPLOY_BUSY',
        `${owner.by} deploys to ${folder} just now`,
        'wait for it; see kit deploy status',
      );
    rmSync(path);
    return locked(folder, by, work);
  }
  try {
    return await work();
  } finally {
    rmSync(path);
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
