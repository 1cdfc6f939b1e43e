CREATE TABLE `fingerprint_minutes` (
	`fingerprint` text NOT NULL,
	`minute` integer NOT NULL,
	`version_id` text NOT NULL,
	`count` real NOT NULL,
	PRIMARY KEY(`fingerprint`, `minute`, `version_id`)
);
--> statement-breakpoint
CREATE INDEX `fingerprint_minutes_minute` ON `fingerprint_minutes` (`minute`);--> statement-breakpoint
CREATE TABLE `fingerprint_sketches` (
	`fingerprint` text NOT NULL,
	`shard` text NOT NULL,
	`sketch` text NOT NULL,
	PRIMARY KEY(`fingerprint`, `shard`)
);
--> statement-breakpoint
CREATE TABLE `fingerprint_versions` (
	`fingerprint` text NOT NULL,
	`version_id` text NOT NULL,
	`version_tag` text NOT NULL,
	`version_message` text NOT NULL,
	`first_seen` integer NOT NULL,
	`last_seen` integer NOT NULL,
	`count` real NOT NULL,
	`exemplar` text NOT NULL,
	PRIMARY KEY(`fingerprint`, `version_id`)
);
--> statement-breakpoint
CREATE INDEX `fingerprint_versions_version` ON `fingerprint_versions` (`version_id`);--> statement-breakpoint
CREATE TABLE `fingerprints` (
	`fingerprint` text PRIMARY KEY NOT NULL,
	`script` text NOT NULL,
	`issue_id` integer NOT NULL,
	`home_issue_id` integer NOT NULL,
	`algorithm` integer NOT NULL,
	`awaits_map` text DEFAULT '' NOT NULL,
	`first_seen` integer NOT NULL,
	`last_seen` integer NOT NULL,
	`first_version` text NOT NULL,
	`last_version` text NOT NULL,
	`count` real NOT NULL
);
--> statement-breakpoint
CREATE INDEX `fingerprints_issue` ON `fingerprints` (`issue_id`);--> statement-breakpoint
CREATE INDEX `fingerprints_waiting` ON `fingerprints` (`script`,`awaits_map`);--> statement-breakpoint
CREATE TABLE `incidents` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`fingerprint` text NOT NULL,
	`version_id` text NOT NULL,
	`colo` text NOT NULL,
	`started_at` integer NOT NULL,
	`ended_at` integer NOT NULL,
	`victims` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `incidents_fingerprint` ON `incidents` (`fingerprint`,`started_at`);--> statement-breakpoint
CREATE TABLE `issue_activity` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`issue_id` integer NOT NULL,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	`kind` text NOT NULL,
	`detail` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `issue_activity_issue` ON `issue_activity` (`issue_id`,`id`);--> statement-breakpoint
CREATE TABLE `issues` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`script` text NOT NULL,
	`birth` text NOT NULL,
	`kind` text NOT NULL,
	`noise` text DEFAULT '' NOT NULL,
	`type` text NOT NULL,
	`title` text NOT NULL,
	`culprit` text NOT NULL,
	`state` text DEFAULT 'unresolved' NOT NULL,
	`state_at` integer NOT NULL,
	`state_by` text DEFAULT '' NOT NULL,
	`resolved_in` text DEFAULT '' NOT NULL,
	`ignore_until` integer,
	`ignore_count` real,
	`ignore_rate` real,
	`ignore_base` real DEFAULT 0 NOT NULL,
	`assignee` text DEFAULT '' NOT NULL,
	`merged_into` integer,
	`regressions` integer DEFAULT 0 NOT NULL,
	`first_seen` integer NOT NULL,
	`last_seen` integer NOT NULL,
	`first_version` text NOT NULL,
	`last_version` text NOT NULL,
	`count` real NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `issues_birth_unique` ON `issues` (`birth`);--> statement-breakpoint
CREATE INDEX `issues_state` ON `issues` (`state`,`last_seen`,`kind`,`first_seen`,`merged_into`,`script`,`count`,`ignore_until`);--> statement-breakpoint
CREATE TABLE `notifications` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`kind` text NOT NULL,
	`issue_id` integer NOT NULL,
	`occasion` integer NOT NULL,
	`script` text NOT NULL,
	`detail` text NOT NULL,
	`published_at` integer,
	`claimed_until` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `notifications_once` ON `notifications` (`issue_id`,`kind`,`occasion`);--> statement-breakpoint
CREATE INDEX `notifications_waiting` ON `notifications` (`published_at`);--> statement-breakpoint
CREATE TABLE `source_map_parts` (
	`hash` text NOT NULL,
	`owner` text NOT NULL,
	`part` integer NOT NULL,
	`etag` text NOT NULL,
	PRIMARY KEY(`hash`, `owner`, `part`)
);
--> statement-breakpoint
CREATE TABLE `source_map_uploads` (
	`hash` text NOT NULL,
	`owner` text NOT NULL,
	`upload_id` text NOT NULL,
	`bytes` integer NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`hash`, `owner`)
);
--> statement-breakpoint
CREATE TABLE `source_maps` (
	`script` text NOT NULL,
	`version_id` text NOT NULL,
	`file` text NOT NULL,
	`hash` text NOT NULL,
	`bytes` integer NOT NULL,
	`seekable_hash` text NOT NULL,
	`seekable_bytes` integer NOT NULL,
	`debug_id` text DEFAULT '' NOT NULL,
	`sources` integer NOT NULL,
	`mappings` integer NOT NULL,
	`uploaded_at` integer NOT NULL,
	`uploaded_by` text NOT NULL,
	PRIMARY KEY(`script`, `version_id`, `file`)
);
--> statement-breakpoint
CREATE INDEX `source_maps_hash` ON `source_maps` (`hash`);--> statement-breakpoint
CREATE INDEX `source_maps_seekable` ON `source_maps` (`seekable_hash`);--> statement-breakpoint
ALTER TABLE `shards` ADD `issues_through` integer DEFAULT 0 NOT NULL;