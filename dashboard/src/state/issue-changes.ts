/** Says that issues are not what they were: by what somebody did here, or by a notification. Lists and counts reload on it. */
import { signal } from "@preact/signals";

export const issueChanges = signal(0);

export function issueMoved(): void {
  issueChanges.value = issueChanges.peek() + 1;
}
