/** The etcd that the integration tests run on where nothing else is asked for. */
export const defaultEtcdImage = 'quay.io/coreos/etcd:v3.5.21';
