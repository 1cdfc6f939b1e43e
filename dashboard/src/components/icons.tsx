/** The few icons, as paths on a 16 px grid. Decorative: the control around them carries the name. */
const PATHS = {
  brand: "M1.5 5c3 0 3.5 2 6.5 2s3.5-2 6.5-2M1.5 10c3 0 3.5 2 6.5 2s3.5-2 6.5-2",
  sun: "M8 5.2a2.8 2.8 0 1 0 0 5.6a2.8 2.8 0 0 0 0-5.6M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7",
  moon: "M13.2 9.7A5.6 5.6 0 0 1 6.3 2.8a5.6 5.6 0 1 0 6.9 6.9Z",
  help: "M6 6.1a2 2 0 1 1 2.8 1.9c-.5.2-.8.6-.8 1.2M8 11.5v.1M8 1.8a6.2 6.2 0 1 0 0 12.4a6.2 6.2 0 0 0 0-12.4Z",
  user: "M8 8.2a2.7 2.7 0 1 0 0-5.4a2.7 2.7 0 0 0 0 5.4ZM3 13.5c.5-2.3 2.5-3.5 5-3.5s4.5 1.2 5 3.5",
  clock: "M8 1.8a6.2 6.2 0 1 0 0 12.4a6.2 6.2 0 0 0 0-12.4ZM8 4.8V8l2.2 1.4",
  chevron: "M4.5 6.2 8 9.7l3.5-3.5",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8Z",
  check: "M3 8.5l3.2 3.2L13 4.8",
  alert: "M8 2 14.5 13.5h-13ZM8 6.5v3M8 11.6v.1",
  plus: "M8 3.5v9M3.5 8h9",
  minus: "M3.5 8h9",
  group: "M2.5 4h11M4.5 8h7M6.5 12h3",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9ZM10.4 10.4l3.1 3.1",
  arrow: "M3 8h10M9 4l4 4-4 4",
  back: "M13 8H3M7 4 3 8l4 4",
  bell: "M4 11V7a4 4 0 0 1 8 0v4l1 1.2H3ZM6.6 14h2.8",
  open: "M8 2.2a5.8 5.8 0 1 0 0 11.6a5.8 5.8 0 0 0 0-11.6Z",
  regressed: "M3.2 8.6a5 5 0 1 0 1.6-4.3M3 2.5v3h3",
  resolved: "M8 2.2a5.8 5.8 0 1 0 0 11.6a5.8 5.8 0 0 0 0-11.6ZM5.4 8.2l1.9 1.9l3.4-3.8",
  ignored: "M8 2.2a5.8 5.8 0 1 0 0 11.6a5.8 5.8 0 0 0 0-11.6ZM5 8h6",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.2v9.6l7.5-4.8Z",
  follow: "M8 2.5v8M4.5 7 8 10.5 11.5 7M3.5 13.5h9",
  clear: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9",
  rollout: "M2 12.5h3.5v-3H9v-3h3.5v-3H14",
  download: "M8 2.5v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11",
  plug: "M5.5 2v3.5M10.5 2v3.5M3.5 5.5h9v2a4.5 4.5 0 0 1-9 0ZM8 12v2.5",
  edit: "M3 13l.6-2.8 7-7 2.2 2.2-7 7ZM9.2 4.6l2.2 2.2",
  up: "M4.5 9.7 8 6.2l3.5 3.5",
  table: "M2 3.5h12v9H2ZM2 7h12M6.5 3.5v9",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
