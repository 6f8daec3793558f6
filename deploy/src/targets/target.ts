/** What `--to` may name: a folder, a robot behind OpenSSH, or one behind a broker. */
import { existsSync } from 'node:fs';
import { brokerText } from '@sim2servo/firmware-bridge/mqtt/broker-error';
import { KitError } from '@sim2servo/models/error';
import { brokerName, brokerUrl } from '@sim2servo/models/site';

export interface SshAddress {
  /** `user@host`, or a name of the ssh configuration. */
  readonly destination: string;
  readonly port: number | undefined;
}

export type Target =
  | { readonly kind: 'folder'; readonly path: string }
  | ({ readonly kind: 'ssh' } & SshAddress)
  | { readonly kind: 'mqtt'; readonly broker: string; readonly name: string };

/** Neither may begin with `-`: OpenSSH would take it for an option. */
const user = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
const host = /^(?:[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9a-fA-F:]+(?:%[A-Za-z0-9]+)?\])$/;

/** `[user@]host[:port]`. @returns why not, where it is none */
export function sshAddress(text: string): SshAddress | { readonly why: string } {
  const [, login, name = '', digits] = /^(?:([^@]*)@)?(\[[^\]]*\]|[^:@]*)(?::(\d+))?$/.exec(text) ?? [];
  if ((login !== undefined && !user.test(login)) || !host.test(name)) return { why: 'user and host are plain names' };
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65_535)) return { why: `there is no port ${digits}` };
  const bare = name.replace(/^\[|\]$/g, '');
  return { destination: login === undefined ? bare : `${login}@${bare}`, port };
}

function isDecodable({ username, password }: URL): boolean {
  try {
    return decodeURIComponent(username + password) !== undefined;
  } catch {
    return false;
  }
}

/** What `--to` says, as it may be printed: without a password. */
export function printableTarget(to: string): string {
  const target = parseTarget(to);
  return target.kind === 'mqtt' ? `${brokerText(target.broker)}/${target.name}` : to;
}

/** @throws KitError E_TARGET */
export function parseTarget(text: string): Target {
  const misread = (why: string) =>
    new KitError(
      'E_TARGET',
      `'${text.replace(/\/\/.*@/, '//…@')}' is no target: ${why}`,
      'write --to DIR, --to user@host[:port], or --to mqtt://broker/robot',
      'usage',
    );
  if (/^mqtts?:/.test(text)) {
    const [, broker, name] = /^(mqtts?:\/\/[^/\s]+)\/([^/\s]+)$/.exec(text) ?? [];
    if (broker === undefined || !brokerUrl.safeParse(broker).success || !URL.canParse(broker))
      throw misread('a broker is mqtt://[USER:PASSWORD@]HOST[:PORT]/ROBOT');
    if (!isDecodable(new URL(broker))) throw misread('a % in its user or password is written %25');
    if (!brokerName.safeParse(name).success) throw misread("the robot's name has letters, digits, - and _");
    return { kind: 'mqtt', broker, name: name! };
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(text)?.[1];
  if (scheme !== undefined && scheme !== 'ssh') throw misread(`nothing is known of ${scheme}://`);
  const plain = scheme === undefined ? text : text.slice('ssh://'.length);
  // A folder that is there is meant, whatever its name looks like.
  if (scheme === undefined && (!text.includes('@') || text.includes('/') || existsSync(text))) {
    if (text === '') throw misread('it is empty');
    return { kind: 'folder', path: text };
  }
  const address = sshAddress(plain);
  if ('why' in address) throw misread(address.why);
  return { kind: 'ssh', ...address };
}
