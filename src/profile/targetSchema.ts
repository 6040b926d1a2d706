/** The schema of `target`: a lab that kvbench starts itself, or servers that already run. */
import { z } from 'zod';
import { duration, together, whole } from './fields.js';

/** Directives that are kvbench's to set in a lab, and why. */
const reservedDirectives: Record<string, string> = {
  port: 'kvbench chooses free ports',
  'tls-port': 'kvbench chooses free ports',
  bind: 'lab servers listen on the loopback interface only',
  'bind-source-addr': 'lab servers listen on the loopback interface only',
  unixsocket: 'clients come by TCP',
  dir: 'each lab has a temporary folder of its own',
  logfile: 'the logs are read for milestones and kept with the result',
  'syslog-enabled': 'the logs are read for milestones and kept with the result',
  sentinel: 'it follows from target.topology',
  loglevel: 'the logs are read for milestones',
  daemonize: 'the servers must end with kvbench',
  supervised: 'the servers must end with kvbench',
  pidfile: 'the servers must end with kvbench',
  include: 'the configuration of a run must stand in its profile',
  'cluster-enabled': 'it follows from target.topology',
  'cluster-config-file': 'each lab has a temporary folder of its own',
  'cluster-port': 'kvbench chooses free ports',
  'replica-announce-ip': 'kvbench forms the replication',
  'replica-announce-port': 'kvbench forms the replication',
  'slave-announce-ip': 'kvbench forms the replication',
  'slave-announce-port': 'kvbench forms the replication',
  'cluster-announce-ip': 'kvbench forms the cluster',
  'cluster-announce-port': 'kvbench forms the cluster',
  'cluster-announce-tls-port': 'kvbench forms the cluster',
  'cluster-announce-bus-port': 'kvbench forms the cluster',
  'cluster-announce-hostname': 'kvbench forms the cluster',
  replicaof: 'it follows from target.topology',
  slaveof: 'it follows from target.topology',
  requirepass: 'lab servers have no password',
  masterauth: 'lab servers have no password',
  aclfile: 'lab servers have no password',
  user: 'lab servers have no password',
};

const directiveText = (value: unknown): string => (typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value));

const config = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
  .check(directiveRule())
  .transform(
    (directives): Record<string, string> => Object.fromEntries(Object.entries(directives).map(([name, value]) => [name, directiveText(value)])),
  );

/** Runs beside the check of the values' types, so that all is told at once. */
function directiveRule() {
  const rule = z.superRefine<Record<string, string | number | boolean>>((directives, ctx) => {
    if (directives === null || typeof directives !== 'object') return;
    for (const [name, value] of Object.entries(directives)) {
      const problem = directiveProblem(name, directiveText(value));
      if (problem) ctx.addIssue({ code: 'custom', path: [name], message: problem });
    }
  });
  rule._zod.def.when = () => true;
  return rule;
}

function directiveProblem(name: string, text: string): string | undefined {
  const reserved = reservedDirectives[name.toLowerCase()];
  if (reserved) return `not for a profile to set: ${reserved}; leave it out`;
  if (!/^[A-Za-z][A-Za-z0-9-]*$/.test(name)) return `not the name of a directive; write it as in redis.conf, e.g. cluster-node-timeout: 2000`;
  // A line break would smuggle in a second directive.
  if (/\p{Cc}/u.test(text)) return 'has a control character in its value; write it in one line';
  return undefined;
}

const labKeys = {
  server: z
    .string()
    .min(1)
    .default('redis-server')
    .describe(
      'The server program: `redis-server`, `valkey-server`, or a path. With `redis-server`, the one that KVBENCH_SERVER names goes first, and a valkey-server on the PATH will do.',
    )
    .meta({ examples: ['valkey-server'] }),
  config: config
    .prefault({})
    .describe('Directives of redis.conf for every server, by their names there.')
    .meta({ title: 'map of directive → value', examples: [{ 'cluster-node-timeout': 2000, appendonly: 'yes' }] }),
};

const standalone = z.strictObject({
  topology: z.literal('standalone').describe('One server, started by kvbench.'),
  ...labKeys,
});

const replicas = whole(0, 10);

const replicated = z.strictObject({
  topology: z
    .literal('replicated')
    .describe('A master with replicas, started by kvbench. Nobody takes over by itself: a master that is gone is an outage until it is back.'),
  replicas: replicas.default(1).describe('Number of replicas.'),
  ...labKeys,
});

const sentinel = together(
  z.strictObject({
    topology: z
      .literal('sentinel')
      .describe(
        'A master with replicas, watched by sentinels that put a replica in its place, all started by kvbench. Clients ask the sentinels for the master.',
      ),
    replicas: replicas.min(1).default(2).describe('Number of replicas; one of them takes over.'),
    sentinels: whole(1, 15).default(3).describe('Number of sentinels. A majority of all of them has to elect the one that acts.'),
    quorum: whole(1, 15)
      .optional()
      .describe('How many sentinels must agree that the master is down; a majority when absent.')
      .meta({ examples: [2] }),
    downAfter: duration('100ms', '10m')
      .prefault('2s')
      .describe('How long a node may not answer a sentinel before that sentinel holds it for down (down-after-milliseconds).'),
    failoverTimeout: duration('500ms', '30m')
      .prefault('10s')
      .describe('How long a failover may take before it is given up; it is tried again after twice as long (failover-timeout).'),
    ...labKeys,
  }),
  (_has, problem, value) => {
    const quorum = value('quorum');
    const sentinels = value('sentinels') ?? 3;
    if (typeof quorum === 'number' && typeof sentinels === 'number' && quorum > sentinels) {
      problem(
        `${quorum} sentinels can never agree where there ${sentinels === 1 ? 'is only one' : `are ${sentinels}`}; make it at most ${sentinels}`,
        'quorum',
      );
    }
  },
);

const cluster = z.strictObject({
  topology: z.literal('cluster').describe('A Redis or Valkey Cluster, started by kvbench.'),
  masters: whole(3, 100).default(3).describe('Number of masters, each with its part of the slots. A cluster needs 3 for a majority.'),
  replicasPerMaster: whole(0, 5).default(1).describe('Replicas of each master; without one there is no failover.'),
  ...labKeys,
});

const secret = together(
  z.strictObject({
    env: z
      .string()
      .min(1)
      .optional()
      .describe('Name of the environment variable that holds it.')
      .meta({ examples: ['REDIS_PASSWORD'] }),
    file: z
      .string()
      .min(1)
      .optional()
      .describe('A file that holds it, relative to the profile; a line end after it does not count.')
      .meta({ examples: ['redis.password'] }),
    command: z
      .string()
      .min(1)
      .optional()
      .describe('A command that prints it.')
      .meta({ examples: ['pass show redis'] }),
  }),
  (has, problem) => {
    const given = ['env', 'file', 'command'].filter(has);
    if (given.length !== 1)
      problem(
        `names ${given.length === 0 ? 'no source' : `${given.length} sources`}; name exactly one of env, file and command, e.g. password: { env: REDIS_PASSWORD }`,
      );
  },
);

const tls = together(
  z.strictObject({
    ca: z
      .string()
      .min(1)
      .optional()
      .describe('PEM file of the authority to trust, relative to the profile; the system’s when absent.')
      .meta({ examples: ['ca.pem'] }),
    cert: z
      .string()
      .min(1)
      .optional()
      .describe('PEM file of the client certificate.')
      .meta({ examples: ['client.pem'] }),
    key: z
      .string()
      .min(1)
      .optional()
      .describe('PEM file of the client certificate’s key.')
      .meta({ examples: ['client.key'] }),
    serverName: z
      .string()
      .min(1)
      .optional()
      .describe('The name the server’s certificate must have, when it is not the host of the url.')
      .meta({ examples: ['redis.example.com'] }),
    rejectUnauthorized: z.boolean().default(true).describe('False accepts any certificate: for tests only.'),
  }),
  (has, problem) => {
    if (has('cert') !== has('key')) problem('a client certificate needs both cert and key');
  },
);

const url = z
  .string()
  .meta({ title: 'redis:// or rediss:// (TLS) url', pattern: '^rediss?://', examples: ['redis://10.0.0.5:6379', 'rediss://redis.example.com:6380'] })
  .transform((text, ctx): string => {
    const wrong = (message: string): string => {
      ctx.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    let parsed: URL;
    try {
      parsed = new URL(text);
    } catch {
      // The text itself is not repeated: it may hold a password.
      return wrong('is not a url; write it like redis://host:6379 or rediss://host:6380');
    }
    if (parsed.username !== '' || parsed.password !== '') {
      return wrong('holds a user or password, which would end up in files and logs; write username: and password: { env: REDIS_PASSWORD } beside it');
    }
    if (parsed.protocol !== 'redis:' && parsed.protocol !== 'rediss:')
      return wrong(`begins with ${parsed.protocol}//; it must be redis:// or rediss:// (TLS)`);
    if (parsed.hostname === '') return wrong('names no host; write it like redis://host:6379');
    if (!['', '/', '/0'].includes(parsed.pathname))
      return wrong(`names database ${JSON.stringify(parsed.pathname.slice(1))}; only database 0 is supported, leave it out`);
    if (parsed.search !== '' || parsed.hash !== '') return wrong('has parameters after the address; leave them out, options are keys of the profile');
    return `${parsed.protocol}//${parsed.hostname}:${parsed.port || '6379'}`;
  });

const external = z
  .strictObject({
    topology: z.literal('external').describe('Servers that already run; the rules for guests hold.'),
    url: url.describe('Address of one node, or of a Sentinel, with neither user nor password.'),
    mode: z
      .enum(['auto', 'standalone', 'cluster', 'sentinel'])
      .default('auto')
      .describe('What runs there; `auto` asks it. `sentinel`: the url is that of a Sentinel, and clients follow it to the master.'),
    master: z
      .string()
      .regex(/^\S+$/)
      .optional()
      .describe('Where the url is that of a Sentinel: name of the master; it can be left out where only one is watched.')
      .meta({ examples: ['mymaster'] }),
    sentinels: z
      .array(z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^\s:/@]+):\d{1,5}$/, 'is no address; write it like 10.0.0.7:26379'))
      .optional()
      .describe('Other sentinels (host:port), asked in turn when the one of the url does not answer. Those that it knows of need not be named.')
      .meta({ examples: [['10.0.0.7:26379']] }),
    username: z
      .string()
      .min(1)
      .optional()
      .describe('ACL user; `default` when absent.')
      .meta({ examples: ['kvbench'] }),
    password: secret
      .optional()
      .describe('Where the password is; never the password itself.')
      .meta({ examples: [{ env: 'REDIS_PASSWORD' }] }),
    tls: tls.optional().describe('For rediss:// urls.'),
  })
  .superRefine((value, ctx) => {
    if (value.tls && value.url.startsWith('redis://')) {
      ctx.addIssue({ code: 'custom', path: ['tls'], message: 'the url says redis://; write rediss:// for TLS, or leave tls out' });
    }
    const ofSentinel = (['master', 'sentinels'] as const).find((key) => value[key] !== undefined);
    if (ofSentinel && (value.mode === 'standalone' || value.mode === 'cluster')) {
      ctx.addIssue({ code: 'custom', path: [ofSentinel], message: `belongs to mode: sentinel, not ${value.mode}; leave one of them out` });
    }
  });

export const targetSchema = z.discriminatedUnion('topology', [standalone, replicated, sentinel, cluster, external]);
export type TargetInput = z.output<typeof targetSchema>;
