/** Certificates for one test run, made by the system's `openssl`: an authority, and what it signs. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KitError } from '@sim2servo/models/error';

export const hasOpenssl = spawnSync('openssl', ['version']).error === undefined;

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority of our own with what it signed. */
export class Authority {
  readonly ca: string;
  readonly #folder: string;
  readonly #key: string;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.ca = join(folder, `${name}.pem`);
    this.#key = join(folder, `${name}.key`);
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      this.#key,
      '-out',
      this.ca,
    );
  }

  /** For a client of that name, or a server on 127.0.0.1. */
  sign(name: string): Certificate {
    const file = (kind: string) => join(this.#folder, `${name}.${kind}`);
    const [key, request, cert, extensions] = [file('key'), file('csr'), file('crt'), file('ext')];
    writeFileSync(extensions, 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`, '-keyout', key, '-out', request);
    openssl(
      'x509',
      '-req',
      '-days',
      '2',
      '-in',
      request,
      '-CA',
      this.ca,
      '-CAkey',
      this.#key,
      '-CAcreateserial',
      '-extfile',
      extensions,
      '-out',
      cert,
    );
    return { cert, key };
  }
}

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new KitError('E_OPENSSL', `openssl ${args[0]} failed: ${stderr}`, 'install openssl');
}
