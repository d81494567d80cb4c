/* The few calls of MPI that are needed, behind names and types that are the same for every MPI.
 *
 * MPI's handles differ between its implementations and are macros; compiled against the one that
 * is there (mpicc -shared -fPIC), this becomes libtrajectory-mpi.so, which the program opens when
 * mpirun or srun starts it. Every function returns 0 or an error of MPI's. */
#define _GNU_SOURCE
#include <limits.h>
#include <mpi.h>
#ifdef __linux__
#include <sched.h>
#endif
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static MPI_Comm world;
static MPI_Request request = MPI_REQUEST_NULL;
/* Where the bytes of each process begin, and how many they are. */
static int *counts, *places;

/* Of this file, so that a program does not call another one's functions. */
int trajectory_mpi_version(void) { return 1; }

int trajectory_mpi_start(int *rank, int *count) {
    int level = MPI_THREAD_SINGLE;
    int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level);
    if (code != MPI_SUCCESS) return code;
    if (level < MPI_THREAD_SERIALIZED) return MPI_ERR_OTHER;
    code = MPI_Comm_dup(MPI_COMM_WORLD, &world);
    if (code != MPI_SUCCESS) return code;
    MPI_Comm_set_errhandler(world, MPI_ERRORS_RETURN);
    MPI_Comm_rank(world, rank);
    MPI_Comm_size(world, count);
    counts = calloc((size_t)*count, sizeof(int));
    places = calloc((size_t)*count, sizeof(int));
    return counts && places ? 0 : MPI_ERR_NO_MEM;
}

/* Begins to replace numbers by their sums over all processes; done when trajectory_mpi_test says so. */
int trajectory_mpi_sum(float *values, int count) {
    return MPI_Iallreduce(MPI_IN_PLACE, values, count, MPI_FLOAT, MPI_SUM, world, &request);
}

/* Begins to tell all a number each; `all` has room for one of each process. */
int trajectory_mpi_exchange(const uint64_t *own, uint64_t *all) {
    return MPI_Iallgather(own, 1, MPI_UINT64_T, all, 1, MPI_UINT64_T, world, &request);
}

/* Begins to tell all some bytes; `lengths` are those of all, `all` has room for their sum. */
int trajectory_mpi_gather(const uint8_t *own, const uint64_t *lengths, uint8_t *all) {
    int rank, count;
    uint64_t place = 0;
    MPI_Comm_rank(world, &rank);
    MPI_Comm_size(world, &count);
    for (int i = 0; i < count; i++) {
        if (lengths[i] > INT_MAX || place > INT_MAX) return MPI_ERR_COUNT;
        counts[i] = (int)lengths[i];
        places[i] = (int)place;
        place += lengths[i];
    }
    return MPI_Iallgatherv(own, counts[rank], MPI_BYTE, all, counts, places, MPI_BYTE, world, &request);
}

/* Goes on with what was begun, and says whether it is done. */
int trajectory_mpi_test(int *is_done) { return MPI_Test(&request, is_done, MPI_STATUS_IGNORE); }

/* Confines this process to some cores; where the system does not let it, nothing changes. */
void trajectory_mpi_confine(const int32_t *cores, int count) {
#ifdef __linux__
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < count; i++)
        if (cores[i] < CPU_SETSIZE) CPU_SET(cores[i], &set);
    sched_setaffinity(0, sizeof set, &set);
#else
    (void)cores, (void)count;
#endif
}

/* What an error means, in at most `capacity` bytes. */
void trajectory_mpi_explain(int code, char *text, int capacity) {
    char line[MPI_MAX_ERROR_STRING + 1] = "";
    int length = 0;
    MPI_Error_string(code, line, &length);
    strncpy(text, line, (size_t)capacity - 1);
    text[capacity - 1] = 0;
}

/* Ends all processes. */
void trajectory_mpi_abort(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

/* Takes leave; all processes do. */
int trajectory_mpi_finish(void) {
    free(counts);
    free(places);
    MPI_Comm_free(&world);
    return MPI_Finalize();
}
