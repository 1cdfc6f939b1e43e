CREATE TABLE `backfill_segments` (
	`destination` text NOT NULL,
	`number` integer NOT NULL,
	`key` text NOT NULL,
	`script` text NOT NULL,
	`rows` integer NOT NULL,
	`bytes` integer NOT NULL,
	`min_time` integer NOT NULL,
	`max_time` integer NOT NULL,
	PRIMARY KEY(`destination`, `number`)
);
--> statement-breakpoint
CREATE INDEX `backfill_segments_key` ON `backfill_segments` (`key`);--> statement-breakpoint
CREATE TABLE `destinations` (
	`id` text PRIMARY KEY NOT NULL,
	`integration` text NOT NULL,
	`name` text NOT NULL,
	`state` text NOT NULL,
	`standby` integer DEFAULT 0 NOT NULL,
	`failover_to` text,
	`rules` text NOT NULL,
	`field_values` text NOT NULL,
	`sealed` text NOT NULL,
	`revision` integer NOT NULL,
	`created_at` integer NOT NULL,
	`created_by` text NOT NULL,
	`updated_at` integer NOT NULL,
	`backfill_from` integer,
	`health` text DEFAULT '' NOT NULL
);
--> statement-breakpoint
CREATE TABLE `resources` (
	`id` text PRIMARY KEY NOT NULL,
	`integration` text NOT NULL,
	`name` text NOT NULL,
	`field_values` text NOT NULL,
	`sealed` text NOT NULL,
	`workers` text NOT NULL,
	`created_at` integer NOT NULL,
	`created_by` text NOT NULL,
	`rotated_at` integer
);
--> statement-breakpoint
CREATE TABLE `sealed_log` (
	`shard` text NOT NULL,
	`first_id` integer NOT NULL,
	`last_id` integer NOT NULL,
	`key` text NOT NULL,
	`script` text NOT NULL,
	`rows` integer NOT NULL,
	`bytes` integer NOT NULL,
	`min_time` integer NOT NULL,
	`max_time` integer NOT NULL,
	`errors` integer NOT NULL,
	`sealed_at` integer NOT NULL,
	PRIMARY KEY(`shard`, `first_id`, `key`)
);
--> statement-breakpoint
CREATE INDEX `sealed_log_key` ON `sealed_log` (`key`);--> statement-breakpoint
CREATE TABLE `worker_connections` (
	`script` text PRIMARY KEY NOT NULL,
	`connected_at` integer NOT NULL,
	`connected_by` text NOT NULL
);
