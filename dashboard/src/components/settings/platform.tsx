/** A form over the settings of the platform, once they are read. */
import type { ComponentType } from "preact";
import type { PlatformSettings } from "../../../../workers/api/contract.ts";
import { api } from "../../api/client.ts";
import { useResource } from "../../state/resource.ts";
import { ErrorState, Progress } from "../states.tsx";

export function PlatformForm({ editor: Editor }: { editor: ComponentType<{ initial: PlatformSettings }> }) {
  const { data, error, loading, reload } = useResource("settings", () => api.settings());
  if (error !== undefined && data === undefined) return <ErrorState failure={error} retry={reload} />;
  return (
    <section>
      <Progress show={loading && data === undefined} />
      {data !== undefined && <Editor initial={data} />}
    </section>
  );
}
