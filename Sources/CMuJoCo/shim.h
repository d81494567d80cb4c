// MuJoCo's C API, as unpacked by Scripts/bootstrap.sh.
#pragma once
#include <mujoco/mujoco.h>
