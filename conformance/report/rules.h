/* SPDX-License-Identifier: MIT */
/* The rules of docs/contract.md in a few words, for reports. */
#ifndef RULES_H
#define RULES_H

/* Of rule @number, 1 to CONFORM_RULES: its title there, and what it asks for. */
const char *rule_title(unsigned int number);
const char *rule_meaning(unsigned int number);

#endif
