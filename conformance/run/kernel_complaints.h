/* SPDX-License-Identifier: MIT */
/*
 * What the kernel says when something is wrong: extended regular expressions of the first
 * line of a report, and of lines that only look like one. The including file defines the
 * two macros; vm/judge-log reads this file too. So one pattern a line, without quotes and
 * backslashes.
 */
COMPLAINT("WARNING:")
COMPLAINT("(^|[^[:alpha:]_])BUG:")
COMPLAINT("(^|[^[:alpha:]_])BUG [^ ]+ [(]")
COMPLAINT("kernel BUG at")
COMPLAINT("Oops[: ]")
COMPLAINT("INFO: possible")
COMPLAINT("INFO: (task|rcu|trying to register)")
COMPLAINT("possible (circular|recursive) locking")
COMPLAINT("inconsistent lock state")
COMPLAINT("suspicious RCU")
COMPLAINT("KASAN:")
COMPLAINT("KCSAN:")
COMPLAINT("UBSAN:")
COMPLAINT("KFENCE:")
COMPLAINT("refcount_t:")
COMPLAINT("general protection fault")
COMPLAINT("[Uu]nable to handle")
COMPLAINT("(soft|hard) (lockup|LOCKUP)")
COMPLAINT("rcu.*stall")
COMPLAINT("blocked for more than")
COMPLAINT("DMA-API:")
COMPLAINT("suspected memory leak")
COMPLAINT("unreferenced object 0x")
COMPLAINT("list_(add|del) corruption")
COMPLAINT("page allocation failure")
COMPLAINT("Kernel panic")

/* What a stock boot says, and of programs that die. */
HARMLESS("[Cc]ommand line:")
HARMLESS("rcupdate[.]rcu_cpu_stall")
HARMLESS("DMA-API: (preallocated|debugging)")
HARMLESS("Spectre V2 : WARNING: Unprivileged eBPF")
HARMLESS("traps: .* general protection fault ip:")
