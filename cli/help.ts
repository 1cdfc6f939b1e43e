/** What `--help` prints. */
import type { Topic } from "./arguments.ts";

const SERVER = `      --url <address>    of your Tailrace; default: TAILRACE_URL
      --token <token>    with the scope %; default: TAILRACE_TOKEN
  -h, --help             this text`;

const serverOptions = (scope: string) => SERVER.replace("%", scope);

const TEXTS: Record<Topic, string> = {
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

  tailrace deploy [-- <wrangler arguments>]
      wrangler deploy, and the source maps of what it deployed
  tailrace sourcemaps upload <dir> --worker <name> --version <id>
      the source maps of a build, for one version
  tailrace sourcemaps list --worker <name> --version <id>

  tailrace <command> --help, tailrace --version

Environment:
  TAILRACE_URL     address of your Tailrace
  TAILRACE_TOKEN   API token; Settings makes one (scope deploy; read for list)
  CLOUDFLARE_ACCESS_CLIENT_ID, CLOUDFLARE_ACCESS_CLIENT_SECRET
                   a service token, if Cloudflare Access is in front of it

Exit codes: 0 done, 1 failed, 2 wrong arguments or settings (nothing was tried),
3 deployed without source maps.`;

export const helpOf = (topic: Topic | undefined): string => (topic === undefined ? OVERVIEW : TEXTS[topic]);
