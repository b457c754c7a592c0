/* The old name of <ordain/c.h>, kept so that programs that include it go on compiling. */
#ifndef ORDAIN_H
#define ORDAIN_H

#include <ordain/c.h>

#endif
