CREATE TABLE `audit` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`target` text NOT NULL,
	`detail` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `audit_at` ON `audit` (`at`);--> statement-breakpoint
CREATE TABLE `folds` (
	`name` text PRIMARY KEY NOT NULL,
	`through_id` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `garbage` (
	`key` text PRIMARY KEY NOT NULL,
	`delete_after` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `ledger_folds` (
	`step` integer NOT NULL,
	`start` integer NOT NULL,
	`script` text NOT NULL,
	`counts` text NOT NULL,
	PRIMARY KEY(`script`, `step`, `start`)
);
--> statement-breakpoint
CREATE TABLE `ledger_minutes` (
	`id` integer PRIMARY KEY NOT NULL,
	`minute` integer NOT NULL,
	`source` text NOT NULL,
	`script` text NOT NULL,
	`counts` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `ledger_minutes_key` ON `ledger_minutes` (`script`,`minute`,`source`);--> statement-breakpoint
CREATE TABLE `rollup_folds` (
	`step` integer NOT NULL,
	`start` integer NOT NULL,
	`script` text NOT NULL,
	`version_id` text NOT NULL,
	`version_tag` text NOT NULL,
	`version_message` text NOT NULL,
	`entrypoint` text NOT NULL,
	`event_type` text NOT NULL,
	`requests` real NOT NULL,
	`errors` real NOT NULL,
	`outcomes` text NOT NULL,
	`statuses` text NOT NULL,
	`duration` text NOT NULL,
	`cpu` text NOT NULL,
	PRIMARY KEY(`script`, `step`, `start`, `version_id`, `entrypoint`, `event_type`)
);
--> statement-breakpoint
CREATE TABLE `rollup_minutes` (
	`id` integer PRIMARY KEY NOT NULL,
	`minute` integer NOT NULL,
	`source` text NOT NULL,
	`script` text NOT NULL,
	`version_id` text NOT NULL,
	`version_tag` text NOT NULL,
	`version_message` text NOT NULL,
	`entrypoint` text NOT NULL,
	`event_type` text NOT NULL,
	`requests` real NOT NULL,
	`errors` real NOT NULL,
	`outcomes` text NOT NULL,
	`statuses` text NOT NULL,
	`duration` text NOT NULL,
	`cpu` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `rollup_minutes_key` ON `rollup_minutes` (`script`,`minute`,`version_id`,`entrypoint`,`event_type`,`source`);--> statement-breakpoint
CREATE TABLE `segments` (
	`key` text PRIMARY KEY NOT NULL,
	`script` text NOT NULL,
	`min_time` integer NOT NULL,
	`max_time` integer NOT NULL,
	`rows` integer NOT NULL,
	`bytes` integer NOT NULL,
	`level` integer NOT NULL,
	`pruning` text NOT NULL,
	`attributes` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `segments_script_time` ON `segments` (`script`,`max_time`);--> statement-breakpoint
CREATE INDEX `segments_time` ON `segments` (`max_time`);--> statement-breakpoint
CREATE TABLE `sessions` (
	`hash` text PRIMARY KEY NOT NULL,
	`token_id` text NOT NULL,
	`actor` text NOT NULL,
	`scope` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `settings` (
	`key` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `shards` (
	`shard` text PRIMARY KEY NOT NULL,
	`script` text NOT NULL,
	`sealed_through` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`open` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`hash` text NOT NULL,
	`scope` text NOT NULL,
	`created_at` integer NOT NULL,
	`created_by` text NOT NULL,
	`last_used_at` integer,
	`expires_at` integer,
	`revoked_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_hash_unique` ON `tokens` (`hash`);--> statement-breakpoint
CREATE TABLE `versions` (
	`script` text NOT NULL,
	`version_id` text NOT NULL,
	`tag` text NOT NULL,
	`message` text NOT NULL,
	`first_seen` integer NOT NULL,
	`last_seen` integer NOT NULL,
	PRIMARY KEY(`script`, `version_id`)
);
--> statement-breakpoint
CREATE TABLE `workers` (
	`script` text PRIMARY KEY NOT NULL,
	`first_seen` integer NOT NULL,
	`last_seen` integer NOT NULL,
	`settings` text DEFAULT '{}' NOT NULL
);
