/** For the checker of the scripts (deploy/js): the bundle has the types of what it is built of. */
export * from '../../../../deploy/js/echarts.js';
