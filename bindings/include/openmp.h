/* The functions of the OpenMP runtime that the oneDNN wrapper calls, as the OpenMP specification (5.2, chapter 18) declares them. */
void omp_set_num_threads(int num_threads);
int omp_get_max_threads(void);
