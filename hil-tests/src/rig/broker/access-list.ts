/** Mosquitto's access list: `user`, and `topic` with a right. Its `pattern` lines are refused, as docs/mqtt.md has none. */
import { KitError } from '@sim2servo/models/error';
import { matchesTopic } from './topic-filter.js';

interface Rule {
  /** Undefined: those without a name. */
  readonly user: string | undefined;
  readonly right: 'read' | 'write' | 'readwrite' | 'deny';
  readonly filter: string;
}

export type MayAccess = (user: string | undefined, access: 'read' | 'write', topic: string) => boolean;

/**
 * Each has the rights that stand under its name, and no others; what is denied there is denied whatever else allows it.
 *
 * @throws KitError E_ACL_LINE
 */
export function parseAccessList(text: string): MayAccess {
  const rules: Rule[] = [];
  let user: string | undefined;
  for (const line of text.split('\n').map(line => line.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const { name, right, filter } =
      /^(?:user (?<name>.+)|topic (?:(?<right>read|write|readwrite|deny) )?(?<filter>.+))$/.exec(line)?.groups ?? {};
    if (name !== undefined) user = name;
    else if (filter !== undefined) rules.push({ user, right: (right ?? 'readwrite') as Rule['right'], filter });
    else throw new KitError('E_ACL_LINE', `the access list has the line '${line}'`, "write 'user' and 'topic' lines");
  }
  return (user, access, topic) => {
    const meant = rules.filter(rule => rule.user === user && matchesTopic(rule.filter, topic));
    return meant.some(({ right }) => right.includes(access)) && !meant.some(({ right }) => right === 'deny');
  };
}
