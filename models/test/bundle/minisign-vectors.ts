/**
 * Files that the `minisign` program itself wrote (0.11, Debian), so that agreement with it is tested also where it is not installed. The
 * encrypted key was made under `ulimit -v 30000`, where minisign halves its limits until they fit: a test need not take 1 GiB.
 */

export const message = Buffer.from('{"name":"policy"}\n');
export const password = 'correct horse';

export const encrypted = {
  id: '68D5695585BA7167',
  secret: `untrusted comment: minisign encrypted secret key
RWRTY0Iy/dlsDeSXRIBo6AQmvmFvQEPVV3I02ynKPb8kuxPyRvgAAAgAAAAAAAAAAAEAAAAAu4eACjnFzEumnZjWlSe94+HdyplUb6FcS5MXUwUD6EA2H8dH+gp1vmpA4t6jwPCvExRl/FJbYoFcgaz02r8ySC6Mx6eAeGxCwXbCt2HzgjqyzDB5Le09QOY+LbutPReQIf9uTM4Wg3U=
`,
  public: `untrusted comment: minisign public key 68D5695585BA7167
RWRncbqFVWnVaDuv9mIZp2FjweTTj+z3iU/xEBLLsg79FCv7WJNkGEa2
`,
  /** With minisign's own trusted comment. */
  signature: `untrusted comment: signature from minisign secret key
RURncbqFVWnVaIKPHMK3t5aOnzDkU+I0n5SuBr0hPyRF2lzlFaqv2AMsP51RetwoLeRS+3DNkKsFY73llXvDYulEKlGfBks/lA0=
trusted comment: timestamp:1795296755\tfile:message\thashed
Pg3pIf0X2POCJiAIAs9wLOhE2l+BK8tTzCh3+UFQjIaLdgjB8UIqQkh2SAEx9hxgNtbrxu1cl0UdYtXPkkkiBA==
`,
};

export const plain = {
  id: 'AB9EE62B9E76E18C',
  secret: `untrusted comment: minisign encrypted secret key
RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAjOF2nivmnquiPikNggiaFWrICs1e0EEu0zhKqKhFaiutzO9tPHe4Fz62YaTR0FFlYON6cnEEWioZDPAr8fPqJMhzQJRIRgkkAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
`,
  public: `untrusted comment: minisign public key AB9EE62B9E76E18C
RWSM4XaeK+aeqz62YaTR0FFlYON6cnEEWioZDPAr8fPqJMhzQJRIRgkk
`,
  /** `-t sequence:1700000000001` */
  signature: `untrusted comment: signature from minisign secret key
RUSM4XaeK+aeq3RikXt2PRrlqfBl79r37GaOMZ/XPwIGT+z2fAgQ7x/TRnCbbXLsR7duffTfluqu4GvbRWOAY7UJkW1XQYlFdAY=
trusted comment: sequence:1700000000001
zRGftSOF8QwacOo5gtbMqpGciQrNDFneJMnLUpl5C/E02qV1SwftvNoBiUeiZOFjQyOuBpA1dhl67qggojaoDA==
`,
  /** `-l` */
  legacy: `untrusted comment: signature from minisign secret key
RWSM4XaeK+aeq4fzkxXOMPknUA3NhJr+R0DwyDOA+If4cWOrIhNVmNAnxm73XnNx3fZwQVfS6agrCtP9mdTeCWY2FPtfv4thvg0=
trusted comment: timestamp:1795296755\tfile:message
PD8bFlZJqOJC1uI+/XDYgnLR4qM0TjxEBC3vovZrRnOLkD2W7KYf3xrwS+zd5oIt/NQkXjJ+xKRc2dvexceHBQ==
`,
};
