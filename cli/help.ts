/** What `--help` prints. */
import { LIVE_MAX_RATE, LIVE_RATE } from "../workers/api/contract.ts";
import type { Topic } from "./options.ts";

const SERVER = `      --url <address>    of your Tailrace; default: TAILRACE_URL
      --token <token>    with the scope %; default: TAILRACE_TOKEN
  -h, --help             this text`;

const serverOptions = (scope: string) => SERVER.replace("%", scope);

const PLAN = `      --steps <list>     percentages of the new version, the last one 100:
                         1,5,25,50,100; with a soak time of its own: 1:2m,10:30m,100
      --soak <time>      at each step at least so long: 5m, 1h
      --limit <time>     a step without a verdict is taken back after it: 4h
      --min-samples <n>  invocations of each version before a verdict
      --gate <gate>      may be repeated; what is not named is as by default:
                         errors=0.5%             worse by so much, absolutely
                         duration=p99,50%,50ms   worse by so much, and so many ms
                         cpu=p99,50%,10ms
                         issues=0                new issues that are tolerated
                         query:<name>=1%:<filter>  invocations with such an event
                         <gate>=off              not asked
      --plan <file>      JSON, as docs/rollouts.md has it; options count more
      --advise           says what it would do, and changes nothing by itself
      --force            starts although preflight warns
      --dry-run          asks preflight only`;

const FOLLOW = `      --watch            follows it until it has ended
      --for <time>       with --watch: no longer than 30m, 2h …
      --json             for programs; with --watch an object per change
      --color, --no-color
                         default: on a terminal; FORCE_COLOR and NO_COLOR count`;

const ROLLOUT_CODES = `Exit code: 0 promoted, or begun and not watched; 1 failed; 2 wrong arguments;
4 taken back by the guard; 5 still running when --for was over, or after Ctrl-C
(the rollout goes on); 6 ended by a person: aborted, or the deployment was changed
by somebody else; 7 preflight said no, and nothing was started.`;

const steer = (verb: "promote" | "pause" | "resume" | "abort", what: string, more = "") =>
  `Usage: tailrace rollout ${verb} <worker>|<id> [--reason <text>] [--watch]

${what}
${more}
      --reason <text>    for the record
      --worker <name>    of an <id>: finds it also while Tailrace's database is away
${FOLLOW}
${serverOptions("deploy")}

Exit code: 0 done; 1 failed; 2 wrong arguments; 5 Cloudflare has not confirmed it
yet, the guard goes on trying. With --watch as tailrace rollout start.`;

const TEXTS: Record<Topic, string> = {
  rollout: `Usage: tailrace rollout <command>

A new version gets a part of the traffic, is compared with the old one in the
same minutes, and gets more, or none.

  tailrace rollout start <worker> --version <id>   begins one
  tailrace rollout status [<worker>|<id>]          how it goes; --watch follows it
  tailrace rollout list [<worker>]                 what there was
  tailrace rollout promote <worker>|<id>           to the next step, now
  tailrace rollout pause | resume <worker>|<id>
  tailrace rollout abort <worker>|<id>             takes it back, now
  tailrace rollout evidence <id> [-o <file>]       the record, as Markdown

Each has a --help. \`tailrace deploy --gradual\` uploads a version and begins its
rollout. How it decides: docs/rollouts.md

${ROLLOUT_CODES}`,
  "rollout start": `Usage: tailrace rollout start <worker> --version <id> [plan] [--watch]

Begins the rollout of a version that is uploaded (wrangler versions upload): its
id, the first 8 characters of it or more, or its tag, if only one has it. What
preflight finds is printed first: what it refuses cannot be forced, what it warns
of needs --force. Asked again while a rollout of that version runs, it joins it.

  tailrace rollout start shop --version 9c3b7e42-… --watch
  tailrace rollout start shop --version v2.1 --steps 10,50,100 --soak 15m

      --version <id>     its id, as wrangler printed it, the beginning of it, or its tag
${PLAN}
${FOLLOW}
${serverOptions("deploy")}

${ROLLOUT_CODES}`,
  "rollout status": `Usage: tailrace rollout status [<worker>|<id>] [--watch]

How a rollout goes: that of a Worker (the one that runs, else the newest), that of
an id, or, without a name, the only one that runs.

      --worker <name>    of an <id>: finds it also while Tailrace's database is away
${FOLLOW}
${serverOptions("read or deploy")}

Exit code: 0 promoted; 1 failed; 4 taken back by the guard; 5 still running; 6 ended
by a person. 0 also when none runs and none was named. 2 wrong arguments.`,
  "rollout list": `Usage: tailrace rollout list [<worker>]

Rollouts, the newest first.

      --state <state>    running (all that have not ended), ended, promoted,
                         rolled_back, aborted, stopped, failed, paused, starting
      --limit <n>        up to 100
      --json             as the API answers
${serverOptions("read or deploy")}`,
  "rollout promote": steer(
    "promote",
    "Goes on to the next step now, without waiting for a verdict.",
    "\n      --to <percent>     to this step of the plan",
  ),
  "rollout pause": steer(
    "pause",
    "Stays at its step until it is resumed. A version that is worse is taken back all\nthe same.",
  ),
  "rollout resume": steer("resume", "Goes on after a pause."),
  "rollout abort": steer(
    "abort",
    "Gives all traffic back to the old version, and ends. Waits until Cloudflare has\nconfirmed it.",
  ),
  "rollout evidence": `Usage: tailrace rollout evidence <id>|<worker> [-o <file>]

The record of a rollout as Markdown, for the incident report: what, who, when,
the figures of each decision, new issues with their line, Cloudflare's answers.

  -o, --output <file>    in place of stdout
      --json             all of it, for programs
      --worker <name>    of an <id>: finds it also while Tailrace's database is away
${serverOptions("read or deploy")}`,

  tail: `Usage: tailrace tail [<worker>] [<filter> …]

Shows what a Worker does, as it happens; without a name, or with '*', what all of
them do. The filter is the first part of a query: status:>=500 level:error
"card declined" -colo:LHR route:/api/* failed:true issue:12. Quote it for your
shell, all of it at once:

  tailrace tail shop 'status:>=500 OR message:"card declined"'
  tailrace tail shop level:error --json | jq .message
  tailrace tail shop failed:true --limit 1 --for 5m      (in CI: ends by itself)

Events go to stdout: lines for people on a terminal, elsewhere NDJSON (one event
a line). What became of the stream goes to stderr: connected, lost, and how many
events were not shown. When the connection is lost it goes on where it was; what
is gone by then is counted.

      --json, --no-json  NDJSON, or lines for people, wherever stdout leads
      --full             shortens nothing: all attributes, whole messages, stacks
      --show-ids         the invocation's id, as a filter that finds it
      --color, --no-color
                         default: on a terminal; FORCE_COLOR and NO_COLOR count
      --rate <n>         events a second at most, ${LIVE_RATE} if not given, up to ${LIVE_MAX_RATE}; of more,
                         errors first and a fair sample of the rest
      --since <time>     begins with the last 30s, 5m …, as far as it is still live
      --limit <n>        ends after n events
      --for <time>       ends after 30s, 5m, 1h …
${serverOptions("read")}

Exit code: 0 ended by Ctrl-C, --limit, --for, or by whoever read its output;
1 failed: the token is refused or was revoked, or nothing was there until --for;
2 wrong arguments or filter.`,
  connect: `Usage: tailrace connect <worker> [--no-wait]
       tailrace connect --list

Makes a Worker of the connected Cloudflare account send its events to Tailrace:
its tail consumers are read, ours is put among them, and they are written back;
everything else stays as it is. Then waits for the first event. The line that it
prints belongs into the Worker's wrangler.toml: a deploy of a configuration that
does not have it may take the entry out again.

  tailrace connect shop
  tailrace connect --list

      --list             all Workers of the account, and what becomes of their events
      --for <time>       waits so long for the first event: 30s, 5m (default 2m)
      --no-wait          does not wait for an event
      --json             as the API answers
${serverOptions("admin (--list: read)")}

Exit code: 0 connected, and events arrive (or --no-wait); 1 failed; 2 wrong
arguments; 5 connected, and no event came until --for was over, or until Ctrl-C.`,
  disconnect: `Usage: tailrace disconnect <worker>

Takes back what tailrace connect did: our entry goes, other tail consumers stay.
An entry that the Worker's own wrangler.toml made is left alone, since its next
deploy would bring it back: take the line out there.

      --force            takes out such an entry as well, until the next deploy
      --json             as the API answers
${serverOptions("admin")}

Exit code: 0 not connected any more; 1 failed; 2 wrong arguments.`,
  destinations: `Usage: tailrace destinations list
       tailrace destinations test <name>|<id>

Where events and notices are sent, and how that goes. \`test\` makes a real round
trip with what is stored, which leaves a message that says so, or nothing. The
dashboard sets them up, under Integrations (docs/integrations.md).

      --json             as the API answers
${serverOptions("read (test: admin)")}

Exit code: 0 done, the receiver took it; 1 failed, or it did not; 2 wrong arguments.`,
  "secrets rotate": `Usage: tailrace secrets rotate

Credentials of others are stored encrypted under TAILRACE_SECRET_KEY, a secret of
the Worker. To change that key:

  1. put a new one in front:  <new>,<old>
       openssl rand -base64 32
       npx wrangler secret put TAILRACE_SECRET_KEY
  2. tailrace secrets rotate     encrypts all of them again, under the new one
  3. take the old one away:  <new>

It may be repeated at any time.

      --json             as the API answers
${serverOptions("admin")}

Exit code: 0 done; 1 failed, or some are under a key that is gone (they are named:
enter them again); 2 wrong arguments.`,
  "sourcemaps upload": `Usage: tailrace sourcemaps upload <dir> --worker <name> --version <id>

Uploads the source maps in <dir> for one version of a Worker. <dir> is what the
build writes (wrangler's --outdir), or one file. Files are named as they are
called within <dir>: that is how stacks name them. May be repeated: what is
there already is not sent again, and an upload that was killed goes on.

      --worker <name>    the Worker's name
      --version <id>     the version id that wrangler printed
${serverOptions("deploy")}`,
  "sourcemaps list": `Usage: tailrace sourcemaps list --worker <name> --version <id>

Lists the source maps of one version.

      --worker <name>    the Worker's name
      --version <id>     the version id
      --json             as the API answers
${serverOptions("read")}`,
  deploy: `Usage: tailrace deploy [options] [-- <wrangler arguments>]

Runs your project's own \`wrangler deploy\`, then uploads the source maps of what
was deployed. Everything after -- goes to wrangler:

  tailrace deploy -- --env staging --minify
  tailrace deploy -- versions upload --tag v1.5.0

      --versions-upload  run \`wrangler versions upload\` instead
      --worker <name>    the Worker's name, if it is another than wrangler says
${serverOptions("deploy")}

With --gradual it runs \`wrangler versions upload\`, and begins a rollout of that
version: it gets a part of the traffic, is compared with the old one, and gets
more, or none (tailrace rollout --help). When its source maps cannot be uploaded,
nothing is begun: the evidence needs them.

  tailrace deploy --gradual --watch
  tailrace deploy --gradual --steps 5,50,100 --soak 10m -- --env production

${PLAN}
${FOLLOW}

Exit code: wrangler's when that fails; 3 when the version is uploaded and its
maps are not. With --gradual also: 4 taken back by the guard; 5 still running when
--for was over, or after Ctrl-C (the rollout goes on); 6 ended by a person; 7
preflight said no: the version is uploaded, and gets no traffic.`,
};

const OVERVIEW = `Usage: tailrace <command>

  tailrace tail [<worker>] [<filter> …]
      what Workers do, as it happens
  tailrace deploy [-- <wrangler arguments>]
      wrangler deploy, and the source maps of what it deployed
  tailrace deploy --gradual [-- <wrangler arguments>]
      wrangler versions upload, source maps, and a rollout that guards itself
  tailrace rollout start | status | list | promote | pause | resume | abort | evidence
  tailrace sourcemaps upload <dir> --worker <name> --version <id>
      the source maps of a build, for one version
  tailrace sourcemaps list --worker <name> --version <id>
  tailrace connect <worker> | --list, tailrace disconnect <worker>
      Workers whose events come here
  tailrace destinations list | test <name>
      where events and notices are sent
  tailrace secrets rotate
      stored credentials, encrypted again under a new key

  tailrace <command> --help, tailrace --version

Environment:
  TAILRACE_URL     address of your Tailrace
  TAILRACE_TOKEN   API token; Settings makes one (scope deploy; read for tail and lists;
                   admin to connect Workers, for destinations test and secrets)
  CLOUDFLARE_ACCESS_CLIENT_ID, CLOUDFLARE_ACCESS_CLIENT_SECRET
                   a service token, if Cloudflare Access is in front of it

Exit codes: 0 done, 1 failed, 2 wrong arguments or settings (nothing was tried),
3 deployed without source maps, 5 connected and no event yet. Of rollouts: 4 taken back, 5 still running, 6 ended by
a person, 7 not begun: preflight said no.`;

export const helpOf = (topic: Topic | undefined): string => (topic === undefined ? OVERVIEW : TEXTS[topic]);
