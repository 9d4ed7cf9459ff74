#pragma once
#include "mtl_edit.h"
#include "mtl_signals.h"
