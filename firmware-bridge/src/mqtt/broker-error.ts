/** What can go wrong between us and a broker, in words: a broker mostly hangs up without saying why. */
import { KitError } from '@sim2servo/models/error';

export interface BrokerAddress {
  /** `mqtt(s)://[user:password@]host[:port]` */
  readonly broker: string;
  /** Paths of PEM files. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export function hostAndPort(broker: string): {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
} {
  const { protocol, hostname, port } = new URL(broker);
  const secure = protocol === 'mqtts:';
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (secure ? 8883 : 1883), secure };
}

/** The broker's address without what is secret in it. */
export function brokerText(broker: string): string {
  const { protocol, host } = new URL(broker);
  return `${protocol}//${host}`;
}

/** @param error the last that was said before the connection closed; undefined: nothing was */
export function brokerError(address: BrokerAddress, error: Error | undefined): KitError {
  const { broker, ca, cert } = address;
  const { host, port, secure } = hostAndPort(broker);
  const where = brokerText(broker);
  const code = String((error as { code?: unknown } | undefined)?.code ?? '');
  // OpenSSL's own words stand in the code or, where a write failed on them, only in the message.
  const tls = `${code} ${error?.message}`.toUpperCase().replaceAll(' ', '_');
  const say = (kind: string, message: string, hint: string, exit: 'noDevice' | 'usage' = 'noDevice') =>
    new KitError(kind, message, hint, exit, { cause: error });
  if (code === 'ECONNREFUSED')
    return say(
      'E_BROKER_CONNECT',
      `nothing listens on port ${port} of ${host}`,
      'start the broker, or correct its address',
    );
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return say('E_BROKER_CONNECT', `there is no host '${host}'`, "correct the broker's address");
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/.test(tls) && cert === undefined)
    return say(
      'E_BROKER_TLS',
      `${where} wants a client certificate and was shown none`,
      'name one, with its key: --cert and --key, or cert and key in site.json',
      'usage',
    );
  if (/SSL.*ALERT_/.test(tls))
    return say(
      'E_BROKER_TLS',
      `${where} does not accept our certificate${cert === undefined ? '' : ` ${cert}`}: ${alertWords(tls)}`,
      'take one that was signed by the authority that the broker trusts',
      'usage',
    );
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(tls))
    return say(
      'E_BROKER_TLS',
      `port ${port} of ${host} does not speak TLS`,
      'use mqtt:// there, or the TLS port',
      'usage',
    );
  if (/CERT|SIGNED|ISSUER|VERIFY/.test(code))
    return say(
      'E_BROKER_TLS',
      `the certificate of ${where} is not vouched for by ${ca ?? 'anybody that this system trusts'}: ${error!.message}`,
      'name the file of the authority that signed it: --ca, or ca in site.json',
      'usage',
    );
  if (/^ERR_(?:SSL|OSSL)|^ERR_CRYPTO/.test(code))
    return say('E_BROKER_TLS', `TLS with ${where} failed: ${error!.message}`, 'check ca, cert and key', 'usage');
  if (/^\d+$/.test(code))
    return say(
      'E_BROKER_REFUSED',
      `${where} refuses: ${error!.message}`,
      "check user, password and the broker's list of who may do what",
    );
  const why = error === undefined ? 'it closed the connection without a word' : error.message;
  const hint = secure
    ? 'see its log: it may want another certificate; where the port speaks no TLS use mqtt://'
    : 'see its log; where the port speaks TLS use mqtts://';
  return say('E_BROKER_LOST', `no connection with ${where}: ${why}`, hint);
}

/** `ERR_SSL_TLSV1_ALERT_UNKNOWN_CA …` → `unknown ca` */
function alertWords(tls: string): string {
  return /ALERT_([A-Z_]+)/.exec(tls)![1]!.replace(/_+$/, '').replaceAll('_', ' ').toLowerCase();
}
