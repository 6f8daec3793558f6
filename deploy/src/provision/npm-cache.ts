/**
 * Packages that this machine has no use for itself, such as a foreign platform's Node: fetched once by `npm pack`, checked against a pinned
 * digest, kept in a folder.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { writeDurably } from '@sim2servo/models/durable-file';
import { KitError, messageOf } from '@sim2servo/models/error';
import type { NpmFile } from './platforms.js';
import { fileInTar } from './tar.js';

export interface NpmCacheOptions {
  /** Default: `$XDG_CACHE_HOME/sim2servo`, else `~/.cache/sim2servo`. */
  readonly folder?: string;
  readonly signal?: AbortSignal;
  readonly onFetch?: (what: string) => void;
}

export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sim2servo');
}

const integrityOf = (bytes: Buffer) => `sha512-${createHash('sha512').update(bytes).digest('base64')}`;

/**
 * One file of a package.
 *
 * @param path in the package, `bin/node`
 * @throws KitError E_NPM_FETCH, E_NPM_INTEGRITY, E_NPM_FILE, E_INTERRUPTED
 */
export async function npmFile(wanted: NpmFile, path: string, options: NpmCacheOptions = {}): Promise<Buffer> {
  const { name, version, integrity } = wanted;
  const folder = options.folder ?? cacheFolder();
  const kept = join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
  let bytes: Buffer | undefined = existsSync(kept) ? readFileSync(kept) : undefined;
  // A cache that was damaged is filled anew.
  if (bytes === undefined || integrityOf(bytes) !== integrity) {
    options.onFetch?.(`${name}@${version} from npm's registry`);
    mkdirSync(folder, { recursive: true });
    bytes = await packed(wanted, folder, options.signal);
    const found = integrityOf(bytes);
    if (found !== integrity)
      throw new KitError(
        'E_NPM_INTEGRITY',
        `${name}@${version} of this registry has the digest ${found}, and ${integrity} was pinned`,
        'see which registry npm asks: npm config get registry',
      );
    writeDurably(kept, bytes);
  }
  const file = fileInTar(gunzipSync(bytes), `package/${path}`);
  if (file === undefined)
    throw new KitError('E_NPM_FILE', `${name}@${version} has no file ${path}`, 'update the kit', 'bug');
  return file;
}

async function packed({ name, version }: NpmFile, cache: string, signal: AbortSignal | undefined): Promise<Buffer> {
  const folder = mkdtempSync(join(cache, '.fetch-'));
  try {
    const args = ['pack', '--ignore-scripts', '--silent', `--pack-destination=${folder}`, `${name}@${version}`];
    const said = await ended(spawn('npm', args, { stdio: ['ignore', 'ignore', 'pipe'], ...(signal && { signal }) }));
    const file = readdirSync(folder).find(entry => entry.endsWith('.tgz'));
    if (said.code === 0 && file !== undefined) return readFileSync(join(folder, file));
    if (signal?.aborted === true)
      throw new KitError('E_INTERRUPTED', `fetching ${name}@${version} was interrupted`, 'run it again', 'interrupt');
    throw new KitError(
      'E_NPM_FETCH',
      `npm could not fetch ${name}@${version}: ${said.text.trim().split('\n').slice(-3).join(' ')}`,
      `let this machine reach npm's registry once, or put the tarball into ${cache}`,
      'noDevice',
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function ended(child: ReturnType<typeof spawn>): Promise<{ code: number | null; text: string }> {
  return new Promise(resolve => {
    let text = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.on('error', error => resolve({ code: null, text: `${text}${messageOf(error)}` }));
    child.on('close', code => resolve({ code, text }));
  });
}
