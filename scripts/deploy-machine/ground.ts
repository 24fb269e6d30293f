/**
 * What is on a machine before anything of the test: accounts, a docker engine that starts at boot with
 * a bridge of its own, and the address of the machine on a link that leads nowhere else.
 */

/** By which its containers reach it, and nginx its apaches. */
export const machineAddress = '172.17.8.101';

const units = '/etc/systemd/system';
const packaged = '/usr/lib/systemd/system';

/** What a machine in a container has no use for, or no right to. */
const masked = [
  ...['dbus.service', 'dbus.socket', 'getty.target', 'systemd-logind.service'],
  ...['systemd-udevd.service', 'systemd-udev-trigger.service', 'systemd-timesyncd.service'],
  ...['systemd-sysctl.service', 'systemd-modules-load.service'],
];

export const groundFiles: Readonly<Record<string, string>> = {
  '/etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n',
  '/etc/group': 'root:x:0:\ndocker:x:115:\nnogroup:x:65534:\n',
  '/etc/nsswitch.conf': 'passwd: files systemd\ngroup: files systemd\nhosts: files\n',
  '/etc/machine-id': '',
  // Without a bus there is nobody who could make cgroups for the engine.
  '/etc/docker/daemon.json': JSON.stringify({
    ...{ bip: '10.213.0.1/24', 'exec-opts': ['native.cgroupdriver=cgroupfs'] },
  }),
  [`${units}/address.service`]: [
    ...['[Unit]', 'Before=network-online.target', '[Service]', 'Type=oneshot'],
    ...['RemainAfterExit=yes', `ExecStart=/usr/sbin/ip address add ${machineAddress}/32 dev lo`],
    '',
  ].join('\n'),
};

/** Where a link is, to what it points. */
export const groundLinks: Readonly<Record<string, string>> = {
  [`${units}/default.target`]: `${packaged}/multi-user.target`,
  [`${units}/network-online.target.wants/address.service`]: `${units}/address.service`,
  [`${units}/multi-user.target.wants/docker.service`]: `${packaged}/docker.service`,
  [`${units}/sockets.target.wants/docker.socket`]: `${packaged}/docker.socket`,
  ...Object.fromEntries(masked.map((name) => [`${units}/${name}`, '/dev/null'])),
  // Debian's iptables is a link to here.
  ...Object.fromEntries(
    ['iptables', 'ip6tables'].map((name) => [`/etc/alternatives/${name}`, `/usr/sbin/${name}-nft`]),
  ),
};
