/** `kit keys`: who may say what a robot runs. */

import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { parsePublicKey, publicKeyLine } from '@sim2servo/models/bundle/minisign-public-key';
import { generateSecretKey } from '@sim2servo/models/bundle/minisign-secret-key';
import { revoking, trusting } from '@sim2servo/models/bundle/trust';
import { shortDigest } from '@sim2servo/models/digest';
import { loadRobot } from '@sim2servo/models/robot-folder';
import type { Command } from 'commander';
import type { AddCommand, CommandContext } from '../command-context.js';
import { newPassword, passwordVariable } from '../keys/key-password.js';
import { checkNewName, keyPath, keysFolder, listKeys, writeKey } from '../keys/key-ring.js';
import { keyIdMeant, publicKeyMeant, type WrittenTrust, writeTrust } from '../keys/robot-trust.js';
import { openKey, type SignedBundle, signBundle } from '../keys/sign-bundle.js';
import { wholeNumber } from '../number-option.js';

const help = `
Keys are minisign's (https://jedisct1.github.io/minisign/): that program and this one read each other's files.
They lie in ~/.config/sim2servo/keys, or in the folder that KIT_KEYS names. Passwords are asked for on the
terminal; where nobody is there, ${passwordVariable} says them.

A key is exchanged in four steps: kit keys new NEW; kit keys trust NEW --robot FOLDER, and kit provision brings it to the robot;
kit keys sign BUNDLE --key NEW, and deploy it; kit keys revoke OLD --robot FOLDER, and kit provision again.`;

interface TrustFlags {
  readonly robot: string;
  readonly out?: string;
}

export const addKeys: AddCommand = (program, context) => {
  const keys = program.command('keys').description('keys that sign policies, and which of them a robot trusts');
  keys.addHelpText('after', help);
  keys
    .command('new')
    .description('make a key that signs policies')
    .argument('<name>')
    .option('--no-password', 'do not encrypt it: whoever can read the file can sign')
    .action((name: string, { password }: { password: boolean }) => makeKey(name, password, context));
  keys
    .command('list')
    .description('the keys that are here, or those of a robot')
    .option('--robot <folder>', 'the keys that this robot trusts, and those that it has revoked')
    .action(({ robot }: { robot?: string }) => (robot === undefined ? list(context) : listOf(robot, context)));
  robotOptions(keys.command('trust'))
    .description('let a robot take policies that are signed with this key, and no unsigned ones any more')
    .argument('<key>', 'name of a key that is here, .pub file, or public key')
    .action((text: string, flags: TrustFlags) => trust(text, flags, context));
  robotOptions(keys.command('revoke'))
    .description('let a robot refuse whatever is signed with this key')
    .argument('<id>', 'id of the key, its name here, .pub file, or public key')
    .action((text: string, flags: TrustFlags) => revoke(text, flags, context));
  keys
    .command('sign')
    .description('sign a bundle; a signature that it has is replaced')
    .argument('<bundle>', 'folder that kit export wrote')
    .requiredOption('--key <name>', 'a key that is here (kit keys list)')
    .option(
      '--after <sequence>',
      'newer than this: where a robot has let in one of a clock that was wrong',
      wholeNumber,
    )
    .action(async (bundle: string, options: { key: string; after?: number }) => {
      // First: nobody should type a password for what cannot be signed.
      loadBundle(bundle);
      const signed = signBundle(
        bundle,
        await openKey(options.key, context),
        Math.max(Date.now(), (options.after ?? 0) + 1),
      );
      context.result(signed, () => `${signedWords(signed)}\nnext: kit deploy ${bundle} --to robot`);
    });
};

/** What a signature is, for whoever has just made one. */
export function signedWords({ digest, key, keyId, sequence }: SignedBundle): string {
  const aheadDays = (sequence - Date.now()) / 86_400_000;
  const ahead =
    aheadDays < 1
      ? ''
      : `, ${aheadDays.toFixed(0)} days ahead of this clock: a robot that takes it refuses what is signed with another key, unless by kit keys sign --after ${sequence}`;
  return `signed ${shortDigest(digest)} with key ${keyId} (${key}), sequence ${sequence}${ahead}`;
}

function robotOptions(command: Command): Command {
  return command
    .requiredOption('--robot <folder>', 'robot folder; a shipped robot with --out')
    .option('--out <folder>', 'write into a new folder, a copy of the robot');
}

async function makeKey(name: string, encrypted: boolean, context: CommandContext): Promise<void> {
  checkNewName(name);
  const key = generateSecretKey();
  await writeKey(name, key, encrypted ? await newPassword(name, context) : undefined);
  const { id } = key.publicKey;
  const publicKey = publicKeyLine(key.publicKey);
  const [secretFile, publicFile] = [keyPath(name, 'key'), keyPath(name, 'pub')];
  context.result({ name, id, publicKey, secretFile, publicFile, encrypted }, () =>
    [
      `made key ${id}`,
      `secret  ${secretFile}${encrypted ? '' : '  (not encrypted: whoever can read it can sign)'}`,
      `public  ${publicFile}`,
      `        ${publicKey}`,
      'keep a copy of the secret file where only you can get at it: nobody can make it again',
      `next: kit keys trust ${name} --robot FOLDER`,
    ].join('\n'),
  );
}

function list(context: CommandContext): void {
  const keys = listKeys();
  context.result(keys, () => {
    if (keys.length === 0) return `no keys in ${keysFolder()}\nnext: kit keys new NAME`;
    const width = Math.max(...keys.map(({ name }) => name.length));
    return keys
      .map(({ name, id, secret, sequence }) =>
        [
          name.padEnd(width),
          id,
          secret ?? 'public key only',
          ...(sequence === undefined ? [] : [`last sequence ${sequence}`]),
        ].join('  '),
      )
      .join('\n');
  });
}

function listOf(name: string, context: CommandContext): void {
  const { site, spec } = loadRobot(name);
  const trusted = site.trustedKeys.map(key => ({ id: parsePublicKey(key).id, key }));
  const named = new Map(listKeys().map(key => [key.id, key.name]));
  const withName = (id: string) => (named.has(id) ? `${id}  (${named.get(id)})` : id);
  context.result({ robot: spec.name, trusted, revoked: site.revokedKeys }, () => {
    const lines = [
      ...trusted.map(({ id }) => `trusted  ${withName(id)}`),
      ...site.revokedKeys.map(id => `revoked  ${withName(id)}`),
    ];
    return lines.length === 0 ? `${spec.name} trusts no key: it takes unsigned policies` : lines.join('\n');
  });
}

function trust(text: string, { robot, out }: TrustFlags, context: CommandContext): void {
  const key = publicKeyMeant(text);
  const written = writeTrust(robot, out, before => trusting(before, key));
  context.result({ id: key.id, ...written }, () =>
    [
      `${written.robot} ${written.changed ? 'trusts' : 'trusted already'} key ${key.id}, ${written.trustedKeys.length} in all; unsigned policies are refused`,
      ...backupWords(written),
      'next: kit keys sign BUNDLE --key NAME; kit provision brings the key to a robot that is installed',
    ].join('\n'),
  );
}

function revoke(text: string, { robot, out }: TrustFlags, context: CommandContext): void {
  const id = keyIdMeant(text);
  const wasTrusted = loadRobot(robot).site.trustedKeys.some(key => parsePublicKey(key).id === id);
  const written = writeTrust(robot, out, before => revoking(before, id));
  const { changed, trustedKeys, folder } = written;
  context.result({ id, ...written }, () =>
    [
      `${written.robot} ${changed ? 'refuses' : 'refused already'} whatever key ${id} has signed, also what it has already`,
      ...(changed && !wasTrusted ? ['the key was not among its trusted ones'] : []),
      ...backupWords(written),
      'kit provision brings that to a robot that is installed',
      trustedKeys.length === 0
        ? `no trusted key is left, so nothing can be run: kit keys trust NAME --robot ${folder}`
        : 'next: kit keys sign BUNDLE --key NAME, and deploy it again',
    ].join('\n'),
  );
}

const backupWords = ({ backup }: WrittenTrust): string[] => (backup === undefined ? [] : [`the old file is ${backup}`]);
