// SPDX-License-Identifier: GPL-2.0-only
/* The number of a page frame is a number, also where a huge page is mapped. */
#include <linux/mm.h>

vm_fault_t probe(struct vm_fault *vmf, unsigned long pfn);
vm_fault_t probe(struct vm_fault *vmf, unsigned long pfn)
{
	return vmf_insert_pfn_pmd(vmf, pfn, false);
}
