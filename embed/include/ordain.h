/* The old name of <ordain/c.h>, kept so that programs that include it still compile. */
#ifndef ORDAIN_H
#define ORDAIN_H

#include <ordain/c.h>

#endif
