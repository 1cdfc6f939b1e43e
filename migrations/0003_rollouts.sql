CREATE TABLE `cloudflare_accounts` (
	`account_id` text PRIMARY KEY NOT NULL,
	`sealed_token` text NOT NULL,
	`token_hint` text NOT NULL,
	`created_at` integer NOT NULL,
	`created_by` text NOT NULL,
	`verified_at` integer
);
--> statement-breakpoint
CREATE TABLE `rollouts` (
	`id` text PRIMARY KEY NOT NULL,
	`script` text NOT NULL,
	`state` text NOT NULL,
	`started_at` integer NOT NULL,
	`ended_at` integer,
	`revision` integer NOT NULL,
	`row` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `rollouts_started` ON `rollouts` (`started_at`);--> statement-breakpoint
CREATE INDEX `rollouts_script` ON `rollouts` (`script`,`started_at`);