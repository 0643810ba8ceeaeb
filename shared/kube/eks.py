"""Bearer tokens for EKS: a presigned question to STS who we are, which the cluster asks in our name.

In: `awsAuthConfig` of a cluster Secret, the environment. Out: a token and when to make the next one. It is valid for a
quarter of an hour from its date, whatever `X-Amz-Expires` says.
"""

import base64
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.kinds.clusters import AWSAuth
from shared.kube.awslogin import VERSION, Environment, Sts, login_of, sts_of
from shared.kube.errors import NoCluster
from shared.security.sigv4 import Login, presigned

PREFIX = "k8s-aws-v1."
CLUSTER_HEADER = "x-k8s-aws-id"
USED, LIFE = timedelta(minutes=14), timedelta(minutes=15)
URL_SECONDS = 60


class Token(NamedTuple):
    text: str
    renew_at: datetime
    expires: datetime


async def bearer(auth: AWSAuth, environment: Environment, now: datetime) -> Token:
    """A token of who we are, or of the role or profile. Raises NoCluster."""
    if not auth.cluster_name:
        raise NoCluster("awsAuthConfig needs clusterName")
    login = await login_of(environment, auth.profile, auth.role_arn)
    return Token(token_of(auth.cluster_name, login, sts_of(environment), now), now + USED, now + LIFE)


def token_of(cluster: str, login: Login, sts: Sts, now: datetime) -> str:
    """Sign the question. Pure."""
    question = f"{sts.url}?Action=GetCallerIdentity&Version={VERSION}"
    url = presigned(question, {CLUSTER_HEADER: cluster}, login, sts.region, "sts", now, expires=URL_SECONDS)
    return PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
