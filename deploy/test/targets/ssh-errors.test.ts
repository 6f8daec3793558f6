import t from 'tap';
import { sshError, sshMissing } from '../../src/targets/ssh-errors.js';

const destination = 'pi@desk';
const errorOf = (stderr: string, code: number | null = 255) => sshError({ program: 'ssh', destination, code, stderr });

t.test('each failure of ssh is told from the others, with what to do', async t => {
  for (const [stderr, code, hint] of [
    [
      '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.',
      'E_TARGET_HOST_CHANGED',
      /ssh-keygen -R desk/,
    ],
    [
      'No ED25519 host key is known for desk and you have requested strict checking.\nHost key verification failed.',
      'E_TARGET_HOST_KEY',
      /ssh pi@desk/,
    ],
    ['pi@desk: Permission denied (publickey,password).', 'E_TARGET_LOGIN', /ssh-copy-id pi@desk/],
    ['ssh: Could not resolve hostname desk: Name or service not known', 'E_TARGET_DOWN', /desk|local/],
    ['ssh: connect to host desk port 22: Connection refused', 'E_TARGET_DOWN', /ssh pi@desk/],
    ['ssh: connect to host desk port 22: No route to host', 'E_TARGET_DOWN', /ssh pi@desk/],
    ['ssh: connect to host desk port 22: Connection timed out', 'E_TARGET_DOWN', /ssh pi@desk/],
    ['Bad owner or permissions on /home/me/.ssh/config', 'E_SSH_CONFIG', /--ssh-config/],
    ['subsystem request failed on channel 0', 'E_TARGET_SFTP', /Subsystem sftp/],
    ['client_loop: send disconnect: Broken pipe', 'E_TARGET_LOST', /deploy again/],
    ['', 'E_TARGET_LOST', /kit deploy status/],
  ] as const) {
    const error = errorOf(stderr);
    t.equal(error.code, code, stderr);
    t.match(error.hint, hint, stderr);
    t.equal(error.exit, code === 'E_SSH_CONFIG' ? 'usage' : 'noDevice');
    if (stderr !== '')
      t.match(
        error.message,
        stderr
          .split('\n')
          .at(-1)!
          .replace(/^ssh: /, '')
          .slice(0, 40),
        'in its own words, too',
      );
  }
});

t.test('a robot without the program is to be provisioned', async t => {
  for (const [stderr, code] of [
    ['bash: line 1: sim2servo-robot: command not found', 127],
    ['sh: 1: sim2servo-robot: not found', 127],
    ['', 127],
  ] as const)
    t.match(errorOf(stderr, code), { code: 'E_TARGET_BARE', hint: /kit provision pi@desk/, exit: 'noDevice' });
});

t.test('what the remote program says is not taken for words of ssh', async t => {
  const error = errorOf('Error: EACCES: Permission denied, open state.json', 70);
  t.equal(error.code, 'E_TARGET_LOST');
  t.match(error.message, /Permission denied, open state\.json \(exit code 70\)/);
});

t.test('a disk that is full there is no broken connection', async t => {
  const end = { program: 'sftp', destination, code: 1, stderr: 'write remote "/x/incoming/a.part": Failure' } as const;
  t.match(sshError(end), { code: 'E_TARGET_SFTP', message: /a\.part": Failure/, hint: /room/ });
});

t.test('who does something else than deploy says what to do again', async t => {
  const end = { program: 'ssh', destination, code: 255, stderr: 'Broken pipe', again: 'run it again' } as const;
  t.match(sshError(end), { code: 'E_TARGET_LOST', hint: 'run it again' });
});

t.test('a machine without OpenSSH is told so', async t => {
  t.match(sshMissing('sftp', new Error('spawn sftp ENOENT')), {
    code: 'E_SSH_MISSING',
    message: /can't start sftp: .*ENOENT/,
    exit: 'usage',
  });
});
