/** The answer of a query with pipes: a table of any columns, virtual, sortable by its heads. */
import { useMemo, useRef, useState } from "preact/hooks";
import type { QueryAnswer, QueryColumn } from "../../../workers/api/contract.ts";
import { isoToMs } from "../lib/event-row.ts";
import { full, withUnit } from "../lib/format.ts";
import { isVersion } from "../lib/result-series.ts";
import { useVirtual } from "../lib/virtual.ts";
import { Version } from "./version.tsx";
import "../styles/result-table.css";

const ROW_PX = 28;
type Cell = QueryAnswer["rows"][number][number];

interface Props {
  answer: QueryAnswer;
  /** Columns whose values can be filtered by. */
  groups: Set<string>;
  onFilter: (field: string, value: string | number | boolean | null, exclude: boolean) => void;
}

interface Order {
  column: number;
  down: boolean;
}

function compare(a: Cell | undefined, b: Cell | undefined): number {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  return a < b ? -1 : 1;
}

export function cellText(value: Cell | undefined, column: QueryColumn): string {
  if (column.type === "time" && typeof value === "string") {
    const text = full(isoToMs(value));
    return value.endsWith(".000000Z") ? text.slice(0, -".000".length) : text;
  }
  return withUnit(value, column.unit);
}

export function ResultTable({ answer, groups, onFilter }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const [order, setOrder] = useState<Order | null>(null);
  const rows = useMemo(() => {
    if (order === null) return answer.rows;
    const sign = order.down ? -1 : 1;
    return [...answer.rows].sort((a, b) => sign * compare(a[order.column], b[order.column]));
  }, [answer, order]);
  const virtual = useVirtual(host, rows.length, ROW_PX);
  const template = answer.columns
    .map((c) => (c.type === "number" ? "minmax(88px, 1fr)" : c.type === "time" ? "184px" : "minmax(128px, 2fr)"))
    .join(" ");
  const minWidth = answer.columns.reduce((n, c) => n + (c.type === "number" ? 104 : c.type === "time" ? 200 : 144), 16);
  const shape = { gridTemplateColumns: template, minWidth: `${minWidth}px` };

  return (
    <div ref={host} class="result" role="table" aria-label="Result" aria-rowcount={rows.length + 1} tabIndex={0}>
      <div class="result-head" role="row" style={shape}>
        {answer.columns.map((c, i) => (
          <span
            key={c.name}
            role="columnheader"
            class={c.type === "number" ? "num" : ""}
            aria-sort={order?.column !== i ? "none" : order.down ? "descending" : "ascending"}
          >
            <button
              type="button"
              class="cut"
              title={c.unit ? `${c.name} (${c.unit})` : c.name}
              onClick={() => setOrder({ column: i, down: order?.column === i ? !order.down : c.type === "number" })}
            >
              {c.name}
              {order?.column === i ? (order.down ? " ↓" : " ↑") : ""}
            </button>
          </span>
        ))}
      </div>
      <div class="result-space" style={{ height: `${virtual.height}px`, minWidth: `${minWidth}px` }}>
        {virtual.items.map((item) => (
          <div
            key={item.key}
            class="result-row"
            role="row"
            aria-rowindex={item.index + 2}
            style={{ ...shape, transform: `translateY(${item.start}px)` }}
          >
            {answer.columns.map((c, i) => {
              const value = rows[item.index]?.[i];
              const text = cellText(value, c);
              const content =
                isVersion(c.name) && typeof value === "string" ? (
                  <Version id={value} showMessage />
                ) : value === null ? (
                  <span class="faint">–</span>
                ) : (
                  text
                );
              return (
                <span key={c.name} role="cell" class={`cut ${c.type === "number" ? "num" : ""}`} title={text}>
                  {groups.has(c.name) && c.type !== "time" ? (
                    <button
                      type="button"
                      class="cut result-filter"
                      aria-label={`Only ${c.name} ${text}`}
                      onClick={(e) => onFilter(c.name, value ?? null, e.altKey)}
                    >
                      {content}
                    </button>
                  ) : (
                    content
                  )}
                </span>
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}
