/** Topic names, and the filters that they are subscribed to by (MQTT 5, section 4.7). */

export function isTopicName(topic: string): boolean {
  return /^[^+#\0]+$/.test(topic);
}

/** Wildcards stand for whole levels, `#` for the last. */
export function isTopicFilter(filter: string): boolean {
  return filter !== '' && /^(?:\+|[^+#/]*)(?:\/(?:\+|[^+#/]*))*$/.test(filter.replace(/(?:^|\/)#$/, ''));
}

/** `+` is one level; `#` is all that is left, and the level above it. */
export function matchesTopic(filter: string, topic: string): boolean {
  // 4.7.2: no wildcard means what a broker says of itself.
  if (/^[+#]/.test(filter) && topic.startsWith('$')) return false;
  const levels = filter.split('/');
  const names = topic.split('/');
  const end = levels.indexOf('#');
  const exact = end < 0 ? levels : levels.slice(0, end);
  const fits = exact.every((level, i) => i < names.length && (level === '+' || level === names[i]));
  return fits && (end >= 0 || names.length === levels.length);
}
