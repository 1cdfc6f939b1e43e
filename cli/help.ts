/** What `--help` prints. */
import { LIVE_MAX_RATE, LIVE_RATE } from "../workers/api/contract.ts";
import type { Topic } from "./options.ts";

const SERVER = `      --url <address>    of your Tailrace; default: TAILRACE_URL
      --token <token>    with the scope %; default: TAILRACE_TOKEN
  -h, --help             this text`;

const serverOptions = (scope: string) => SERVER.replace("%", scope);

const TEXTS: Record<Topic, string> = {
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

Exit code: wrangler's when that fails; 3 when the Worker is deployed and its
maps are not uploaded.`,
};

const OVERVIEW = `Usage: tailrace <command>

  tailrace tail [<worker>] [<filter> …]
      what Workers do, as it happens
  tailrace deploy [-- <wrangler arguments>]
      wrangler deploy, and the source maps of what it deployed
  tailrace sourcemaps upload <dir> --worker <name> --version <id>
      the source maps of a build, for one version
  tailrace sourcemaps list --worker <name> --version <id>

  tailrace <command> --help, tailrace --version

Environment:
  TAILRACE_URL     address of your Tailrace
  TAILRACE_TOKEN   API token; Settings makes one (scope deploy; read for tail and list)
  CLOUDFLARE_ACCESS_CLIENT_ID, CLOUDFLARE_ACCESS_CLIENT_SECRET
                   a service token, if Cloudflare Access is in front of it

Exit codes: 0 done, 1 failed, 2 wrong arguments or settings (nothing was tried),
3 deployed without source maps.`;

export const helpOf = (topic: Topic | undefined): string => (topic === undefined ? OVERVIEW : TEXTS[topic]);
